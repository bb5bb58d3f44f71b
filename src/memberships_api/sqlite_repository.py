"""Memberships in one SQLite file."""

import sqlite3
import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memberships_api import sqlite_statements as sql
from memberships_api import staging_statements as staging_sql
from memberships_api.membership import Membership, row_of
from memberships_api.private_file import make_private_file
from memberships_api.repository import MembershipIdTaken, Page, PageRequest, Snapshot
from memberships_api.sqlite_troubles import troubles_in_words
from memberships_api.staging import Draft, Staging

_BETWEEN_TRIES = 0.01  # seconds
BUSY_SECONDS = 30.0


class SqliteMembershipRepository:
    """A MembershipRepository for any number of threads and processes on one machine. Close it when done.

    Every method raises MembershipsUnavailable when the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        """Make file, tables and key where they are missing."""
        self._path = path
        self._idle: deque[sqlite3.Connection] = deque()
        make_private_file(path)  # SQLite gives its rights to -wal and -shm
        with self._connection() as connection:
            connection.executescript(sql.SCHEMA)
            # Asked first: offering waits for whoever is writing, such as a long import.
            if not connection.execute(sql.CURSOR_KEY).fetchall():
                connection.execute(sql.OFFER_CURSOR_KEY)
            self._cursor_key = bytes(connection.execute(sql.CURSOR_KEY).fetchone()[0])

    def close(self) -> None:
        """Close the connections that are not in use."""
        while self._idle:
            self._idle.pop().close()

    def cursor_key(self) -> bytes:
        """Give the secret that signs cursors."""
        return self._cursor_key

    def page(self, request: PageRequest) -> Page:
        """Read one page; the first one counts the rows, the others are told by the snapshot."""
        with self._connection() as connection:
            snapshot = request.snapshot or _snapshot(connection, request)
            items, last_id = _rows(connection, request, snapshot)
        next_after = last_id if last_id is not None and last_id < snapshot.bound else None
        return Page(items or b"", next_after, snapshot)

    def add(self, memberships: Iterable[Membership]) -> int:
        """Add all of them in one transaction."""
        with self._connection() as connection, _transaction(connection):
            return _add(connection, memberships)

    @contextmanager
    def staged(self, drafts: Iterable[Draft], silent: Collection[str], *, update: bool) -> Iterator[Staging]:
        """Put drafts beside the memberships; until they are all there, nobody has to wait for them."""
        with troubles_in_words(self._path), closing(opened(self._path, BUSY_SECONDS)) as connection:
            connection.execute("BEGIN")
            connection.execute(staging_sql.CREATE_IN_SQLITE)
            connection.executemany(staging_sql.LOAD_INTO_SQLITE, drafts)
            connection.execute("COMMIT")
            with _transaction(connection):
                yield Staging(_SqliteStaging(connection), silent, update=update)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        # A pool instead of thread-locals: the threads of a web server come and go, and would leave connections open.
        with troubles_in_words(self._path):
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = opened(self._path, BUSY_SECONDS)
            try:
                yield connection
            finally:
                self._idle.append(connection)


@dataclass(frozen=True, slots=True)
class _SqliteStaging:
    connection: sqlite3.Connection

    def run(self, statement: str) -> int:
        return self.connection.execute(statement).rowcount

    def rows(self, statement: str) -> Iterator[Sequence[Any]]:
        return self.connection.execute(statement)

    def add(self, memberships: Iterable[Membership]) -> int:
        return _add(self.connection, memberships)


def _add(connection: sqlite3.Connection, memberships: Iterable[Membership]) -> int:
    try:
        return connection.executemany(sql.ADD, map(row_of, memberships)).rowcount
    except sqlite3.IntegrityError as error:
        raise MembershipIdTaken(f"A membership was not added, nor any other: {error}.") from error


def opened(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """Open a connection that waits so long for whoever is writing."""
    connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    try:
        _switch_to_wal(connection, busy_seconds)
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _switch_to_wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Switch a new file, or find it done: of two that do so at once SQLite tells one "locked" without waiting."""
    until = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_BETWEEN_TRIES)
        else:
            return


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
            connection.execute("ROLLBACK")
        raise


def _snapshot(connection: sqlite3.Connection, request: PageRequest) -> Snapshot:
    statement = sql.SNAPSHOT_OF_USER if request.state is None else sql.SNAPSHOT_OF_USER_AND_STATE
    parameters = {"user_id": request.user_id, "state": request.state}
    bound, total = connection.execute(statement, parameters).fetchone()
    return Snapshot(bound, total)


def _rows(connection: sqlite3.Connection, request: PageRequest, snapshot: Snapshot) -> tuple[bytes | None, int | None]:
    parameters = {
        "user_id": request.user_id,
        "state": request.state,
        "after": request.after,
        "bound": snapshot.bound,
        "limit": request.limit,
        "between": request.between,
    }
    statement = sql.page(request.form, by_state=request.state is not None)
    items, last_id = connection.execute(statement, parameters).fetchone()
    return items, last_id
