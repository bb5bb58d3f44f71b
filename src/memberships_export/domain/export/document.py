"""A record as it is stored: JSON, without the fields that are as in a new record.

Most fields are, and a record on AWS is paid for by the kilobyte. A default that changes would change stored records.
"""

from dataclasses import fields
from typing import Any

import msgspec

from memberships_export.domain.export.record import Export
from memberships_export.domain.source.progress import Progress


def write_document(export: Export) -> str:
    """Write a record."""
    told = _told(export)
    if "progress" in told:
        told["progress"] = _told(export.progress)
    return msgspec.json.encode(told).decode()


def _told(part: Export | Progress) -> dict[str, Any]:
    known = {entry.name: getattr(part, entry.name) for entry in fields(part)}
    return {entry.name: known[entry.name] for entry in fields(part) if known[entry.name] != entry.default}


def read_document(document: str | bytes) -> Export:
    """Read a record. Fields that a newer version added are ignored, fields it did not know get their defaults.

    Raises msgspec.DecodeError for what is no record.
    """
    return msgspec.json.decode(document, type=Export)
