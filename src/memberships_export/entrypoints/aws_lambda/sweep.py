"""Process entry of the function SweepExports: a wrong setting stops it here, before the first pass."""

import gc
import os

gc.disable()  # what a start makes is not garbage, and looking for some takes time

from memberships_export.entrypoints.aws_lambda.compiled_methods import use_compiled_methods  # noqa: E402

use_compiled_methods()

from memberships_export.entrypoints.aws_lambda.functions import sweep_function  # noqa: E402

handler = sweep_function(os.environ)

gc.enable()
