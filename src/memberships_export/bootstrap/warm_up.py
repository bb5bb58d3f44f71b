"""Every type that threads decode is decoded once before there are threads.

When several threads decode a type for the first time, msgspec can end the process with a segmentation fault:
docs/msgspec-first-decode.md. What is decoded a second time is safe.
"""

from contextlib import suppress
from datetime import date, datetime
from typing import Any

import msgspec

from memberships_export.domain.export.document import Former
from memberships_export.domain.export.record import Export
from memberships_export.domain.export.tombstone import Tombstone
from memberships_export.domain.formats.part import Head
from memberships_export.domain.source.profile import Profile

DECODED = (Export, Former, Head, dict[str, str], tuple[str, str], list[datetime], list[date], Profile, Tombstone)


def warm_up(*compiled: Any) -> None:  # noqa: ANN401  (types, which may be ones like list[Row])
    """Decode the types of this program once, and those that were compiled at start. Call it before threads start."""
    for kind in (*DECODED, *compiled):
        with suppress(msgspec.ValidationError):  # msgspec has looked at the whole type before it looks at what is there
            msgspec.json.decode(b"{}", type=kind)
