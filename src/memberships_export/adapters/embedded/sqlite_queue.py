"""ExportQueue and DeadLetters in SQLite, with the semantics of SQS.

What becomes of a message may be lost by a power cut: it is handed out again, and its record decides. That there is a
message, or a letter, may not.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic
from uuid import uuid4

import msgspec

from memberships_export.adapters.embedded.bell import BELLS, Bell
from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.sqs_rules import received_too_often
from memberships_export.domain.export.record import Stage
from memberships_export.domain.messages.belonging import Queued
from memberships_export.domain.messages.letters import DeadLetter
from memberships_export.domain.messages.limits import check_message
from memberships_export.domain.messages.message import Message, Received
from memberships_export.ports import Clock, Unwanted

# A message that is there keeps its place if it waits, and otherwise gets one: whoever has it in hand has it no more.
_SEND = """
    INSERT INTO messages (message_id, body, attributes, sent_at, visible_at, export_id) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (export_id) DO UPDATE SET body = excluded.body, attributes = excluded.attributes,
    visible_at = min(visible_at, excluded.visible_at), receive_count = 0, receipt = NULL
"""
_HOLDS = "SELECT 1 FROM messages WHERE export_id = ? AND visible_at <= ?"
_ANY = "SELECT 1 FROM messages WHERE visible_at <= ? LIMIT 1"
# As bytes: one that is no UTF-8 would keep all others from being read.
_AS_BYTES = "sequence, message_id, sent_at, receipt, CAST(body AS BLOB) AS body, CAST(attributes AS BLOB) AS attributes"
_VISIBLE = f"SELECT {_AS_BYTES}, receive_count FROM messages WHERE visible_at <= ?"  # noqa: S608  (our names)
_IN_ORDER = "ORDER BY visible_at, sequence"
_NEXT = f"{_VISIBLE} {_IN_ORDER} LIMIT 1"
_EXHAUSTED = f"{_VISIBLE} AND receive_count >= ? {_IN_ORDER}"
_TAKE = "UPDATE messages SET visible_at = ?, receipt = ?, receive_count = receive_count + 1 WHERE sequence = ?"
_GIVE_BACK = "UPDATE messages SET visible_at = ? WHERE receipt = ?"
_ACKNOWLEDGE = "DELETE FROM messages WHERE receipt = ?"
_DROP = "DELETE FROM messages WHERE sequence = ?"
_BURY = "INSERT INTO dead_letters (message_id, body, attributes, sent_at, receipt) VALUES (?, ?, ?, ?, ?)"
_BROWSE = f"SELECT {_AS_BYTES} FROM dead_letters ORDER BY sent_at, sequence LIMIT ?"  # noqa: S608  (as above)
_REMOVE = "DELETE FROM dead_letters WHERE receipt = ?"
_PURGE = "DELETE FROM dead_letters"
_ALL_MESSAGES = f"SELECT {_AS_BYTES} FROM messages"  # noqa: S608  (as above)
_ALL_LETTERS = f"SELECT {_AS_BYTES} FROM dead_letters"  # noqa: S608  (as above)
_DROP_LETTER = "DELETE FROM dead_letters WHERE sequence = ?"


class SqliteExportQueue:
    """ExportQueue on one machine. A send wakes a waiting receiver at once, whichever process it is in."""

    def __init__(self, database: Database, clock: Clock, visibility: timedelta, max_receives: int) -> None:
        """`max_receives`: how often a message is handed out; at the next try it is a dead letter."""
        self._database = database
        self._clock = clock
        self._visibility = visibility
        self._max_receives = max_receives
        self._bell = Bell(database.folder / BELLS)

    def send(self, message: Message, stage: Stage = Stage.FETCH) -> None:  # noqa: ARG002  (one queue for all)
        """Put a message in the queue, in place of the one that its export has there. Raises ValueError as SQS would."""
        with self._database.transaction() as connection:
            self.send_within(connection, message)
        self.announce()

    def send_within(self, connection: sqlite3.Connection, message: Message) -> None:
        """Do so in the transaction of the caller, who announces it afterwards."""
        check_message(message)
        now, export_id = self._clock().timestamp(), message.attributes.get("exportId")
        values = [uuid4().hex, message.body, _packed(message.attributes), now, now, export_id]
        connection.execute(_SEND, values)

    def announce(self) -> None:
        """Wake a receiver, of whatever process: something was sent."""
        self._bell.ring()

    def holds(self, message: Message, stage: Stage = Stage.FETCH) -> bool:  # noqa: ARG002  (one queue for all)
        """Tell whether the message of this export waits for a worker."""
        values = [message.attributes.get("exportId"), self._clock().timestamp()]
        return bool(self._database.read(_HOLDS, values))

    def receive(self, wait_seconds: float) -> Received | None:
        """Take one message; with nothing there, look again until the time is over."""
        deadline = monotonic() + wait_seconds
        while True:
            rung = self._bell.rung
            received = self._receive_now()
            left = deadline - monotonic()
            if received:
                self._bell.pass_on()
            if received or left <= 0:
                return received
            self._bell.wait(rung, left)

    def acknowledge(self, received: Received) -> None:
        """Remove a message for good, if it is still ours."""
        with self._database.transaction(may_be_lost=True) as connection:
            connection.execute(_ACKNOWLEDGE, [received.receipt])

    def give_back(self, received: Received, delay_seconds: float) -> None:
        """Make a message visible again after a delay, if it is still ours."""
        visible_at = self._clock().timestamp() + delay_seconds
        with self._database.transaction(may_be_lost=True) as connection:
            connection.execute(_GIVE_BACK, [visible_at, received.receipt])

    def discard(self, unwanted: Unwanted) -> int:
        """Remove messages, also those in a worker's hand."""
        return _discard(self._database, _ALL_MESSAGES, _DROP, unwanted)

    def _receive_now(self) -> Received | None:
        now = self._clock()
        if not self._database.read(_ANY, [now.timestamp()]):  # an idle worker keeps nobody from writing
            return None
        with self._database.transaction(may_be_lost=True) as connection:
            row = connection.execute(_NEXT, [now.timestamp()]).fetchone()
            if row is None:
                return None
            if row["receive_count"] < self._max_receives:
                return self._take(connection, row, now)
        with self._database.transaction() as connection:
            self._bury_exhausted(connection, now)
        return self._receive_now()

    def _take(self, connection: sqlite3.Connection, row: sqlite3.Row, now: datetime) -> Received:
        receipt = uuid4().hex
        visible_at = (now + self._visibility).timestamp()
        connection.execute(_TAKE, [visible_at, receipt, row["sequence"]])
        return _received(row, receipt, row["receive_count"] + 1)

    def _bury_exhausted(self, connection: sqlite3.Connection, now: datetime) -> None:
        for row in connection.execute(_EXHAUSTED, [now.timestamp(), self._max_receives]).fetchall():
            self._bury(connection, row, now)

    def _bury(self, connection: sqlite3.Connection, row: sqlite3.Row, now: datetime) -> None:
        received = _received(row, row["receipt"], row["receive_count"])
        letter = received_too_often(received, self._max_receives, now)
        values = [row["message_id"], letter.body, _packed(letter.attributes), row["sent_at"], uuid4().hex]
        connection.execute(_BURY, values)
        connection.execute(_DROP, [row["sequence"]])


class SqliteDeadLetters:
    """The dead letters of one machine, in the table dead_letters."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """`database`: the one of the queue, whose exhausted messages arrive here."""
        self._database = database
        self._clock = clock

    def add(self, message: Message) -> None:
        """Put a message there. Raises ValueError for what SQS would refuse."""
        check_message(message)
        values = [uuid4().hex, message.body, _packed(message.attributes), self._clock().timestamp(), uuid4().hex]
        with self._database.transaction() as connection:
            connection.execute(_BURY, values)

    def browse(self, limit: int) -> Sequence[DeadLetter]:
        """Read letters, oldest first, without removing them."""
        return [_letter(row) for row in self._database.read(_BROWSE, [limit])]

    @contextmanager
    def removing(self) -> Iterator[Callable[[DeadLetter], None]]:
        """Give what removes one letter for good."""
        yield self._remove

    def _remove(self, letter: DeadLetter) -> None:
        with self._database.transaction() as connection:
            connection.execute(_REMOVE, [letter.receipt])

    def discard(self, unwanted: Unwanted) -> int:
        """Remove letters; return how many."""
        return _discard(self._database, _ALL_LETTERS, _DROP_LETTER, unwanted)

    def move_all(self) -> bool:
        """Say that letters are redriven one by one here, which takes no longer."""
        return False

    def purge(self) -> int:
        """Remove all letters; return how many there were."""
        with self._database.transaction() as connection:
            return connection.execute(_PURGE).rowcount


def _discard(database: Database, read: str, drop: str, unwanted: Unwanted) -> int:
    """Look through all of them without keeping anybody from writing, and then remove those that were found."""
    found = [row["sequence"] for row in database.read(read) if unwanted(_queued(row))]
    with database.transaction() as connection:
        return sum(connection.execute(drop, [sequence]).rowcount for sequence in found)


def _queued(row: sqlite3.Row) -> Queued:
    return Queued(row["message_id"], _message(row), datetime.fromtimestamp(row["sent_at"], UTC))


def _packed(attributes: Mapping[str, str]) -> str:
    return msgspec.json.encode(attributes).decode()


def _message(row: sqlite3.Row) -> Message:
    """Read a message as far as it can be read. Nobody understands one that is damaged: it becomes a letter."""
    try:
        attributes = msgspec.json.decode(row["attributes"], type=dict[str, str])
    except ValueError:  # msgspec's are; also what is no UTF-8
        attributes = {}
    return Message(row["body"].decode(errors="replace"), attributes)


def _received(row: sqlite3.Row, receipt: str, receive_count: int) -> Received:
    return Received(message_id=row["message_id"], message=_message(row), receipt=receipt, receive_count=receive_count)


def _letter(row: sqlite3.Row) -> DeadLetter:
    sent_at = datetime.fromtimestamp(row["sent_at"], UTC)
    return DeadLetter(message_id=row["message_id"], message=_message(row), receipt=row["receipt"], sent_at=sent_at)
