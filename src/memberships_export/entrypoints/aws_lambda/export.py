"""Process entry of the function ExportMemberships: a wrong setting stops it here, before the first message."""

import gc
import os

gc.disable()  # what a start makes is not garbage, and looking for some takes time

from memberships_export.entrypoints.aws_lambda.compiled_methods import use_compiled_methods  # noqa: E402

use_compiled_methods()

from memberships_export.entrypoints.aws_lambda.functions import export_function  # noqa: E402

handler = export_function(os.environ)

gc.enable()
