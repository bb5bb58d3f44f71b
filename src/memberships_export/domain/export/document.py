"""A record as it is stored: JSON, without the fields that are as in a new record.

Most fields are, and a record on AWS is paid for by the kilobyte. A default that changes would change stored records.
"""

from dataclasses import fields

import msgspec

from memberships_export.domain.export.record import Export


def write_document(export: Export) -> str:
    """Write a record."""
    known = {entry.name: getattr(export, entry.name) for entry in fields(export)}
    told = {entry.name: known[entry.name] for entry in fields(export) if known[entry.name] != entry.default}
    return msgspec.json.encode(told).decode()


def read_document(document: str | bytes) -> Export:
    """Read a record. Fields that a newer version added are ignored, fields it did not know get their defaults.

    Raises msgspec.DecodeError for what is no record.
    """
    return msgspec.json.decode(document, type=Export)
