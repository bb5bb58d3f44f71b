"""ExportStore in SQLite: the record as a JSON document, beside it the columns that queries need."""

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec

from memberships_export.adapters.embedded.database import Database, Value
from memberships_export.domain.errors import UnreadableRecord
from memberships_export.domain.export.document import read_document, write_document
from memberships_export.domain.export.finding import address_keys, code_of
from memberships_export.domain.export.power_cut import may_be_lost
from memberships_export.domain.export.rate import HOUR, Turn, with_turn
from memberships_export.domain.export.record import Export, new_message_ids
from memberships_export.ports import Clock

log = logging.getLogger(__name__)
AS_BYTES = "CAST(document AS BLOB) AS document"  # one that is no UTF-8 would keep all others from being read
_KNOWN = f"export_id, user_id, requested_at, {AS_BYTES}"
_GET = f"SELECT {_KNOWN} FROM exports WHERE export_id = ?"  # noqa: S608  (our names)
_UNFINISHED = f"SELECT {_KNOWN} FROM exports WHERE user_id = ? AND options = ? AND unfinished"  # noqa: S608  (as above)
_OF_USER = f"""
    SELECT export_id, {AS_BYTES} FROM exports WHERE user_id = ? ORDER BY requested_at DESC, export_id DESC LIMIT ?
"""  # noqa: S608  (as above)
_DUE = f"SELECT export_id, {AS_BYTES} FROM exports WHERE wake_at <= ? ORDER BY wake_at LIMIT ?"  # noqa: S608  (as above)
_INSERT = """
    INSERT INTO exports (
        export_id, user_id, options, unfinished, status, code, requested_at, wake_at, revision, document, written_at
    )
    VALUES (
        :export_id, :user_id, :options, :unfinished, :status, :code, :requested_at, :wake_at, :revision, :document,
        :written_at
    )
"""
# Who and when never change; the revision is the condition.
_UPDATE = """
    UPDATE exports SET unfinished = :unfinished, status = :status, code = :code, wake_at = :wake_at,
    revision = :revision, document = :document, written_at = :written_at
    WHERE export_id = :export_id AND revision = :old_revision
"""
_TURNS = "SELECT at FROM turns WHERE user_id = ?"
_FORGET_TURNS = "DELETE FROM turns WHERE user_id = ? AND at <= ?"
_TAKE_TURN = "INSERT INTO turns (user_id, at) VALUES (?, ?)"
# Made when it is first needed: no other version of this program minds it.
_PROBE_TABLE = "CREATE TABLE IF NOT EXISTS probe (id INTEGER PRIMARY KEY, content BLOB)"
_PROBE = "REPLACE INTO probe (id, content) VALUES (1, zeroblob(65536))"
_BY_MESSAGE_ID = f"""
    SELECT {_KNOWN} FROM exports
    WHERE export_id = (SELECT export_id FROM message_ids WHERE message_id = ?)
"""  # noqa: S608  (as above)
_NOTE_MESSAGE_ID = "INSERT OR REPLACE INTO message_ids (message_id, export_id) VALUES (?, ?)"
_FORGET_MESSAGE_ID = "DELETE FROM message_ids WHERE message_id = ? AND export_id = ?"
_NOTE_ADDRESS = "INSERT OR IGNORE INTO addresses (address, export_id) VALUES (?, ?)"
_FORGET_ADDRESSES = "DELETE FROM addresses WHERE address = ? AND export_id = ?"
_DELETE = "DELETE FROM exports WHERE export_id = ? AND revision = ?"
_IDS_OF_USER = "SELECT export_id FROM exports WHERE user_id = ?"
_ERASE = "DELETE FROM exports WHERE export_id = ?"
_ERASE_MESSAGE_IDS = "DELETE FROM message_ids WHERE export_id = ?"
_ERASE_ADDRESSES = "DELETE FROM addresses WHERE export_id = ?"
_BESIDE = frozenset({"export_id", "user_id", "requested_at"})
_ERASE_TURNS = "DELETE FROM turns WHERE user_id = ?"


class SqliteExportStore:
    """The records of one machine, in the table exports."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """`database`: shared with the queue or not; nothing here depends on it."""
        self._database = database
        self._clock = clock

    def create(self, export: Export, turn: Turn | None = None) -> Export:
        """Save a new record, or return the one that stands in its way."""
        with self._database.transaction() as connection:
            return self.create_within(connection, export, turn)

    def create_within(self, connection: sqlite3.Connection, export: Export, turn: Turn | None = None) -> Export:
        """Do so in the transaction of the caller. RateLimited is raised before anything is written."""
        if there := _in_the_way(connection, export):
            return there
        if turn:
            _take(connection, turn)
        stored = export if export.revision else _with_new_revision(export)
        connection.execute(_INSERT, self._row(stored))
        connection.executemany(_NOTE_ADDRESS, _addresses(stored))
        return stored

    def take_turn(self, turn: Turn) -> None:
        """Note that a user asks for a mail."""
        with self._database.transaction() as connection:
            _take(connection, turn)

    def get(self, export_id: str, *, expired: bool = False) -> Export | None:  # noqa: ARG002  (the sweeper deletes them)
        """Read one record."""
        rows = self._database.read(_GET, [export_id])
        return _export(rows[0]) if rows else None

    def find_by_message_id(self, message_id: str) -> Export | None:
        """Read the record that has a send with this message id."""
        rows = self._database.read(_BY_MESSAGE_ID, [message_id])
        return _export(rows[0]) if rows else None

    def replace(self, old: Export, new: Export) -> Export | None:
        """Write `new` if the record still has the revision of `old`."""
        stored = _with_new_revision(new)
        with self._database.transaction(may_be_lost=may_be_lost(old, new)) as connection:
            try:
                changed = connection.execute(_UPDATE, self._row(stored) | {"old_revision": old.revision})
            except sqlite3.IntegrityError:  # the user has another unfinished export with these options
                return None
            if not changed.rowcount:
                return None
            ids = new_message_ids(old, stored)
            connection.executemany(_NOTE_MESSAGE_ID, [(one, stored.export_id) for one in ids])
            if stored.email != old.email or stored.earlier_emails != old.earlier_emails:
                connection.executemany(_FORGET_ADDRESSES, _addresses(old))
                connection.executemany(_NOTE_ADDRESS, _addresses(stored))
        return stored

    def list_for_user(self, user_id: str, limit: int) -> Sequence[Export]:
        """Read a user's records, newest first."""
        return readable(self._database.read(_OF_USER, [user_id, limit]))

    def due(self, now: datetime, limit: int) -> Sequence[Export]:
        """Read records whose wake_at has passed, the longest overdue first; behind those that nobody can read, too."""
        at_most = limit
        while True:
            rows = self._database.read(_DUE, [now.timestamp(), at_most])
            exports = readable(rows)
            if len(exports) >= limit or len(rows) < at_most:
                return exports[:limit]
            at_most *= 2

    def delete(self, export: Export) -> None:
        """Delete the record if it still has this revision."""
        with self._database.transaction() as connection:
            if connection.execute(_DELETE, [export.export_id, export.revision]).rowcount:
                ids = [(send.message_id, export.export_id) for send in export.sends if send.message_id]
                connection.executemany(_FORGET_MESSAGE_ID, ids)
                connection.executemany(_FORGET_ADDRESSES, _addresses(export))

    def ids_of_user(self, user_id: str) -> Iterator[str]:
        """Read the ids of all records of a user."""
        return (row["export_id"] for row in self._database.read(_IDS_OF_USER, [user_id]))

    def erase(self, export_id: str) -> None:
        """Delete a record, whatever its revision, with the message ids of its mails and its addresses."""
        with self._database.transaction() as connection:
            connection.execute(_ERASE, [export_id])
            connection.execute(_ERASE_MESSAGE_IDS, [export_id])
            connection.execute(_ERASE_ADDRESSES, [export_id])

    def forget_turns(self, user_id: str) -> None:
        """Delete what is known of the mails that a user asked for."""
        with self._database.transaction() as connection:
            connection.execute(_ERASE_TURNS, [user_id])
        self._database.empty_log()  # until it is brought into the database, what was deleted stands there

    def check(self) -> None:
        """Write, really, more than a request does: SQLite takes the room for its log as it needs it.

        A smaller one could still find room where a request has met the end of the disk.
        """
        with self._database.transaction() as connection:
            connection.execute(_PROBE_TABLE)
            connection.execute(_PROBE)

    def _row(self, export: Export) -> dict[str, Value]:
        return _columns(export) | {"written_at": self._clock().timestamp()}


def _take(connection: sqlite3.Connection, turn: Turn) -> None:
    """Check and note in the transaction of the caller: two at once cannot both have the last turn."""
    rows = connection.execute(_TURNS, [turn.user_id]).fetchall()
    with_turn((datetime.fromtimestamp(row["at"], UTC) for row in rows), turn)
    over = (turn.at - HOUR).timestamp()
    if any(row["at"] <= over for row in rows):
        connection.execute(_FORGET_TURNS, [turn.user_id, over])
    connection.execute(_TAKE_TURN, [turn.user_id, turn.at.timestamp()])


def _in_the_way(connection: sqlite3.Connection, export: Export) -> Export | None:
    """Find the record with this id, or the user's unfinished one with these options."""
    row = connection.execute(_GET, [export.export_id]).fetchone()
    if row is None and export.unfinished:
        row = connection.execute(_UNFINISHED, [export.user_id, export.options_key]).fetchone()
    return _export(row) if row else None


def _with_new_revision(export: Export) -> Export:
    return replace(export, revision=uuid4().hex)


def _columns(export: Export) -> dict[str, Value]:
    return {
        "export_id": export.export_id,
        "user_id": export.user_id,
        "options": export.options_key,
        "unfinished": export.unfinished,
        "status": export.status,
        "code": code_of(export),
        "requested_at": export.requested_at.timestamp(),
        "wake_at": export.wake_at.timestamp() if export.wake_at else None,
        "revision": export.revision,
        "document": write_document(export),
    }


def _addresses(export: Export) -> list[tuple[str, str]]:
    return [(key, export.export_id) for key in address_keys(export)]


def readable(rows: Sequence[sqlite3.Row]) -> list[Export]:
    """Read what can be read: one record of a newer version must not hide all the others."""
    exports, unreadable = apart(rows)
    for error in unreadable:
        log.error("export=%s event=unreadable_record reason=%s", error.export_id, error.__cause__)
    return exports


def apart(rows: Sequence[sqlite3.Row]) -> tuple[list[Export], list[UnreadableRecord]]:
    """Read what can be read, and say which cannot."""
    exports, unreadable = list[Export](), list[UnreadableRecord]()
    for row in rows:
        try:
            exports.append(_export(row))
        except UnreadableRecord as error:
            unreadable.append(error)
    return exports, unreadable


def _export(row: sqlite3.Row) -> Export:
    """Read a record. Fields that a newer version added are ignored, fields it did not know get their defaults."""
    try:
        return read_document(row["document"])
    except msgspec.DecodeError as error:
        raise UnreadableRecord(**_known(row)) from error


def _known(row: sqlite3.Row) -> dict[str, Any]:
    """Return what stands beside the document, as far as it was read."""
    known = {name: row[name] for name in row.keys() if name in _BESIDE}  # noqa: SIM118  (a row is no mapping)
    if "requested_at" in known:
        known["requested_at"] = datetime.fromtimestamp(known["requested_at"], UTC)
    return known
