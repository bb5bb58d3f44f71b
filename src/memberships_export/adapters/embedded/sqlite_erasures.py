"""Erasures in SQLite, beside the records."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from memberships_export.adapters.embedded.database import Database, Value
from memberships_export.domain.export.tombstone import Tombstone, damaged_tombstone

_COLUMNS = "export_id, erased_at, clear_at, CAST(document AS BLOB) AS document"
_BEGIN = """
    INSERT INTO tombstones (export_id, erased_at, clear_at, document)
    VALUES (:export_id, :erased_at, :clear_at, :document)
    ON CONFLICT (export_id) DO NOTHING
"""
_GET = f"SELECT {_COLUMNS} FROM tombstones WHERE export_id = ?"  # noqa: S608  (our names)
_REPLACE = """
    UPDATE tombstones SET clear_at = :clear_at, document = :document
    WHERE export_id = :export_id AND clear_at IS :old_clear_at
"""
_DUE = f"SELECT {_COLUMNS} FROM tombstones WHERE clear_at <= ? ORDER BY clear_at LIMIT ?"  # noqa: S608  (as above)
_ALL = f"SELECT {_COLUMNS} FROM tombstones ORDER BY erased_at, export_id"  # noqa: S608  (as above)


class SqliteErasures:
    """The tombstones of one machine, in the table tombstones."""

    def __init__(self, database: Database) -> None:
        """`database`: the one of the records, so that one backup takes both."""
        self._database = database

    def begin(self, tombstone: Tombstone) -> Tombstone:
        """Save it, unless this export has one."""
        with self._database.transaction() as connection:
            connection.execute(_BEGIN, _row(tombstone))
            row = connection.execute(_GET, [tombstone.export_id]).fetchone()
        return _read(row)

    def get(self, export_id: str) -> Tombstone | None:
        """Read the tombstone of an export."""
        rows = self._database.read(_GET, [export_id])
        return _read(rows[0]) if rows else None

    def replace(self, old: Tombstone, new: Tombstone) -> bool:
        """Write `new` if the `clear_at` there is still that of `old`."""
        with self._database.transaction() as connection:
            changed = connection.execute(_REPLACE, _row(new) | {"old_clear_at": _seconds(old.clear_at)}).rowcount
        self._database.empty_log()  # what was deleted before is still in it
        return bool(changed)

    def due(self, now: datetime, limit: int) -> Sequence[Tombstone]:
        """Read tombstones whose clear_at has passed, the longest overdue first."""
        return [_read(row) for row in self._database.read(_DUE, [now.timestamp(), limit])]

    def all(self) -> Iterator[Tombstone]:
        """Read all tombstones, oldest first."""
        return (_read(row) for row in self._database.read(_ALL))


def _row(tombstone: Tombstone) -> dict[str, Value]:
    return {
        "export_id": tombstone.export_id,
        "erased_at": tombstone.erased_at.timestamp(),
        "clear_at": _seconds(tombstone.clear_at),
        "document": msgspec.json.encode(tombstone).decode(),
    }


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _read(row: sqlite3.Row) -> Tombstone:
    try:
        return msgspec.json.decode(row["document"], type=Tombstone)
    except ValueError:  # msgspec's are; also what is no UTF-8
        erased_at = datetime.fromtimestamp(row["erased_at"], UTC)
        return damaged_tombstone(row["export_id"], erased_at, _moment(row["clear_at"]))
