"""Memberships in one SQLite file."""

import sqlite3
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from memberships_api import sqlite_statements as sql
from memberships_api.membership import Membership
from memberships_api.repository import MembershipIdTaken, Occupied, Page, PageRequest, Snapshot

_BUSY_SECONDS = 30.0


class SqliteMembershipRepository:
    """A MembershipRepository for any number of threads and processes on one machine. Close it when done."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: deque[sqlite3.Connection] = deque()
        with self._connection() as connection:
            connection.executescript(sql.SCHEMA)
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
            rows = _rows(connection, request, snapshot)
        last_id = rows[-1][1] if rows else snapshot.bound
        next_after = last_id if last_id < snapshot.bound else None
        return Page(b",".join([row[0] for row in rows]), next_after, snapshot)

    def occupied(self, users: Collection[str], ids: Collection[int]) -> Occupied:
        """Tell what is there already for these users and ids."""
        with self._connection() as connection:
            highest_id = int(connection.execute(sql.HIGHEST_ID).fetchone()[0])
            by_user = dict(connection.execute(sql.HIGHEST_ID_BY_USER, (_json_list(users),)))
            taken = {row[0] for row in connection.execute(sql.TAKEN_IDS, (_json_list(ids),))}
        return Occupied(highest_id, by_user, taken)

    def add(self, memberships: Iterable[Membership]) -> int:
        """Add all of them in one transaction."""
        with self._connection() as connection, _transaction(connection):
            try:
                return connection.executemany(sql.ADD, map(_as_row, memberships)).rowcount
            except sqlite3.IntegrityError as error:
                raise MembershipIdTaken(f"A membership was not added, nor any other: {error}.") from error

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        # A pool instead of thread-locals: the threads of a web server come and go, and would leave connections open.
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = _open(self._path)
        try:
            yield connection
        finally:
            self._idle.append(connection)


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


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


def _rows(connection: sqlite3.Connection, request: PageRequest, snapshot: Snapshot) -> list[tuple[bytes, int]]:
    statement = sql.PAGE_OF_USER if request.state is None else sql.PAGE_OF_USER_AND_STATE
    parameters = {
        "user_id": request.user_id,
        "state": request.state,
        "after": request.after,
        "bound": snapshot.bound,
        "limit": request.limit,
    }
    return connection.execute(statement, parameters).fetchall()


def _as_row(membership: Membership) -> tuple[Any, ...]:
    return (
        membership.id,
        membership.uuid,
        membership.name,
        membership.user_id,
        format(membership.recurring_price, "f"),  # never an exponent
        membership.valid_from,
        membership.valid_until,
        membership.state,
        membership.assigned_by,
        membership.payment_method,
        membership.billing_interval,
        membership.billing_periods,
    )


def _json_list(values: Collection[str] | Collection[int]) -> str:
    return msgspec.json.encode(list(values)).decode()
