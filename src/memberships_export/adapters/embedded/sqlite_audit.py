"""AuditLog in SQLite: a table beside the records."""

import sqlite3
from dataclasses import fields
from datetime import UTC, datetime

from memberships_export.adapters.embedded.database import Database, Value
from memberships_export.domain.audit import Action, Actor, Audited, AuditPage, AuditQuery, Channel, Outcome, id_bound

_COLUMNS = tuple(field.name for field in fields(Audited))
_NOTE = f"""
    INSERT INTO audit ({", ".join(_COLUMNS)}) VALUES ({", ".join(f":{name}" for name in _COLUMNS)})
    ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome, detail = excluded.detail WHERE audit.outcome = 'begun'
"""  # noqa: S608  (names of fields)
_READ = """
    SELECT * FROM audit
    WHERE (:since IS NULL OR id >= :since) AND (:before IS NULL OR id < :before)
    AND (:export_id IS NULL OR export_id = :export_id) AND (:action IS NULL OR action = :action)
    AND (:person IS NULL OR who = :person OR about = :person)
    ORDER BY id DESC LIMIT :limit
"""
_OLD = "SELECT id FROM audit WHERE id < ? ORDER BY id LIMIT 1"
_FORGET = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id < ? ORDER BY id LIMIT 1000)"


class SqliteAuditLog:
    """The audit log of one machine, in the table audit."""

    def __init__(self, database: Database) -> None:
        """`database`: shared with the records or not; nothing here depends on it."""
        self._database = database

    def note(self, entry: Audited) -> None:
        """Keep an entry, or its outcome."""
        row: dict[str, Value] = {name: getattr(entry, name) for name in _COLUMNS}
        with self._database.transaction() as connection:
            connection.execute(_NOTE, row | {"at": entry.at.timestamp()})

    def read(self, query: AuditQuery) -> AuditPage:
        """Read entries, the newest first; one more than is asked for tells whether there are others."""
        values: dict[str, Value] = {
            "since": id_bound(query.since) if query.since else None,
            "before": query.before,
            "export_id": query.export_id,
            "action": query.action,
            "person": query.person,
            "limit": query.limit + 1,
        }
        rows = self._database.read(_READ, values)
        shown = rows[: query.limit]
        entries = {row["id"]: _entry(row) for row in shown}
        return AuditPage(
            [entry for entry in entries.values() if entry],
            shown[-1]["id"] if len(rows) > query.limit else None,
            [one for one, entry in entries.items() if entry is None],
        )

    def forget_before(self, moment: datetime) -> int:
        """Delete a thousand entries at most. Looks first: while nothing is old enough, nobody waits for a writer."""
        bound = id_bound(moment)
        if not self._database.read(_OLD, [bound]):
            return 0
        with self._database.transaction() as connection:
            return connection.execute(_FORGET, [bound]).rowcount


def _entry(row: sqlite3.Row) -> Audited | None:
    """Read an entry; None for one of a newer version, or a damaged one."""
    try:
        return Audited(
            **{name: row[name] for name in ("id", "who", "about", "export_id", "detail", "ip", "request_id")},
            at=datetime.fromtimestamp(row["at"], UTC),
            actor=Actor(row["actor"]),
            action=Action(row["action"]),
            outcome=Outcome(row["outcome"]),
            channel=Channel(row["channel"]),
        )
    except (ValueError, TypeError, OverflowError):
        return None
