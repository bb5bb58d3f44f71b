"""ExportDesk in SQLite: each way of looking has its index, and reads no more documents than it gives."""

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime

from memberships_export.adapters.embedded.database import Database, Value
from memberships_export.adapters.embedded.sqlite_store import AS_BYTES, apart
from memberships_export.domain.export.finding import (
    Count,
    Counts,
    Found,
    Place,
    Wanted,
    address_key,
    in_order,
)
from memberships_export.domain.export.record import ExportStatus

_SHOWN = f"export_id, requested_at, {AS_BYTES}"
_NEWEST = "ORDER BY requested_at DESC, export_id DESC LIMIT :limit"
_CONDITIONS: Mapping[str, str] = {
    "user_id": "user_id = :user_id",
    "address": "export_id IN (SELECT export_id FROM addresses WHERE address = :address)",
    "status": "status = :status",
    "code": "code = :code",
    "since": "requested_at >= :since",
    "prefix": "export_id >= :prefix AND export_id < :prefix_end",
    "at": "(requested_at, export_id) < (:at, :export_id)",
}
_AFTER_ALL = "\U0010ffff"  # the last character there is


class SqliteExportDesk:
    """Looks at all records of one machine."""

    def __init__(self, database: Database) -> None:
        """`database`: the one of the store."""
        self._database = database

    def find(self, wanted: Wanted, limit: int, after: Place | None = None) -> Found:
        """Find exports, newest first. One more than asked for tells whether there are others."""
        values = _values(wanted, after)
        query = f"SELECT {_SHOWN} FROM {_source(wanted)} {_where(values)} {_NEWEST}"  # noqa: S608  (our names)
        rows = self._database.read(query, values | {"limit": limit + 1})
        exports, unreadable = apart(rows[:limit])
        more = _place(rows[limit - 1]) if len(rows) > limit else None
        return Found(exports, more, [one.export_id for one in unreadable])

    def counts(self, wanted: Wanted) -> Counts:
        """Count exports by status and cause, without reading one of them."""
        values = _values(wanted, None)
        query = (
            "SELECT status, code, count(*) AS exports, min(requested_at) AS oldest "  # noqa: S608  (our names)
            f"FROM {_source(wanted)} {_where(values)} GROUP BY status, code"
        )
        rows = [row for row in self._database.read(query, values) if row["status"] in set(ExportStatus)]
        return Counts(
            in_order(
                Count(
                    ExportStatus(row["status"]), row["code"], row["exports"], datetime.fromtimestamp(row["oldest"], UTC)
                )
                for row in rows
            )
        )


def _place(row: sqlite3.Row) -> Place:
    return Place(datetime.fromtimestamp(row["requested_at"], UTC), row["export_id"])


def _source(wanted: Wanted) -> str:
    """Name the table, with the index that fits unless SQLite chooses a shorter way by itself."""
    narrow = wanted.prefix or wanted.address or wanted.user_id
    return "exports" if narrow else "exports INDEXED BY exports_newest"


def _where(values: Mapping[str, Value]) -> str:
    conditions = [text for name, text in _CONDITIONS.items() if name in values]
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


def _values(wanted: Wanted, after: Place | None) -> dict[str, Value]:
    said: dict[str, Value] = {
        "user_id": wanted.user_id,
        "address": address_key(wanted.address) if wanted.address is not None else None,
        "status": wanted.status,
        "code": wanted.code,
        "since": wanted.since.timestamp() if wanted.since else None,
        "prefix": wanted.prefix or None,
        "prefix_end": f"{wanted.prefix}{_AFTER_ALL}" if wanted.prefix else None,
        "at": after.at.timestamp() if after else None,
        "export_id": after.export_id if after else None,
    }
    return {name: value for name, value in said.items() if value is not None}
