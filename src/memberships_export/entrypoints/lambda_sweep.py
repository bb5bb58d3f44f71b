"""Process entry of the function SweepExports: a wrong setting stops it here, before the first pass."""

import os

from memberships_export.entrypoints.functions import sweep_function

handler = sweep_function(os.environ)
