"""A record as it is stored: JSON, without the fields that are as in a new record, also within it.

Most fields are, and a record on AWS is paid for by the kilobyte. A default that changes would change stored records.
"""

from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

import msgspec

from memberships_export.domain.export.record import Export
from memberships_export.domain.formats.options import Options, Preset, of_preset
from memberships_export.domain.source.progress import Progress

_WITHIN = ("progress", "options")


@dataclass(frozen=True, slots=True)
class Former:
    """What a record said about its file when there was nothing else to choose."""

    preset: Preset | None = None


def write_document(export: Export) -> str:
    """Write a record."""
    told = _told(export)
    told |= {name: _told(getattr(export, name)) for name in _WITHIN if name in told}
    return msgspec.json.encode(told).decode()


def _told(part: Export | Progress | Options) -> dict[str, Any]:
    defaults = _defaults(type(part))  # type: ignore[arg-type]  # mypy doubts that a class has a hash
    known = ((name, getattr(part, name), default) for name, default in defaults)
    return {name: value for name, value, default in known if value != default}


@cache
def _defaults(kind: type) -> tuple[tuple[str, object], ...]:
    """Name all fields with their defaults; asking the class each time takes longer than writing the record."""
    return tuple((entry.name, entry.default) for entry in fields(kind))


def read_document(document: str | bytes) -> Export:
    """Read a record. Fields that a newer version added are ignored, fields it did not know get their defaults.

    Raises msgspec.DecodeError for what is no record.
    """
    try:
        export = msgspec.json.decode(document, type=Export)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError("It is no UTF-8.") from error
    if export.options == Options():
        former = msgspec.json.decode(document, type=Former)
        return replace(export, options=of_preset(former.preset)) if former.preset else export
    return export
