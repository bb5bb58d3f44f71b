"""Process entry of the function ExportMemberships: a wrong setting stops it here, before the first message."""

import os

from memberships_export.entrypoints.functions import export_function

handler = export_function(os.environ)
