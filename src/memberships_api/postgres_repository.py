"""Memberships in a PostgreSQL database."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_bytes
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

from memberships_api import postgres_statements as sql
from memberships_api import staging_statements as staging_sql
from memberships_api.membership import Membership, row_of
from memberships_api.postgres_connections import Connections
from memberships_api.repository import MembershipIdTaken, Page, PageRequest, Snapshot
from memberships_api.staging import Draft, Staging

_FETCHED_ROWS = 5000


class PostgresMembershipRepository:
    """A MembershipRepository for any number of threads, processes and machines. Close it when done.

    Every method raises MembershipsUnavailable when the server is away or refuses.
    """

    def __init__(self, database_url: str) -> None:
        """Create the tables in the database, if they are not there yet."""
        self._connections = Connections(database_url)
        with self._connections.lend() as connection:
            if not _value(connection, sql.IS_PREPARED):
                _prepare(connection)
            self._cursor_key = bytes(_value(connection, sql.CURSOR_KEY))

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._connections.close()

    def cursor_key(self) -> bytes:
        """Give the secret that signs cursors."""
        return self._cursor_key

    def page(self, request: PageRequest) -> Page:
        """Read one page; the first one counts the rows, the others are told by the snapshot."""
        if "\0" in request.user_id + (request.state or ""):  # PostgreSQL has no text with NUL: not even to ask for
            return Page(b"", None, request.snapshot or Snapshot(bound=0, total=0))
        with self._connections.lend() as connection, connection.transaction():
            connection.execute(sql.READ_IN_ORDER_OF_THE_INDEX)
            snapshot = request.snapshot or _snapshot(connection, request)
            items, last_id = _rows(connection, request, snapshot)
        next_after = last_id if last_id is not None and last_id < snapshot.bound else None
        return Page(items or b"", next_after, snapshot)

    def add(self, memberships: Iterable[Membership]) -> int:
        """Add all of them in one transaction; they are sent while they are made, and never held together."""
        with self._connections.lend() as connection, connection.transaction():
            connection.execute(sql.LOCK_OUT_OTHER_WRITERS)
            return _add(connection, memberships)

    @contextmanager
    def staged(self, drafts: Iterable[Draft], silent: Collection[str], *, update: bool) -> Iterator[Staging]:
        """Put drafts beside the memberships; until they are all there, nobody has to wait for them."""
        with self._connections.lend() as connection, connection.transaction():
            connection.execute(staging_sql.CREATE_IN_POSTGRES)
            _copy(connection, staging_sql.LOAD_INTO_POSTGRES, drafts)
            connection.execute(sql.WAIT_FOR_OTHER_WRITERS)
            connection.execute(sql.LOCK_OUT_OTHER_WRITERS)
            yield Staging(_PostgresStaging(connection), silent, update=update)


@dataclass(frozen=True, slots=True)
class _PostgresStaging:
    connection: psycopg.Connection

    def run(self, statement: str) -> int:
        return self.connection.execute(statement.encode()).rowcount

    def rows(self, statement: str) -> Iterator[Sequence[Any]]:
        # The server keeps the rows and hands out some at a time.
        with self.connection.cursor("staged_rows") as cursor:
            cursor.itersize = _FETCHED_ROWS
            yield from cursor.execute(statement.encode())

    def add(self, memberships: Iterable[Membership]) -> int:
        return _add(self.connection, memberships)


class _Undecoded(Loader):
    """Leaves text as it came, in the encoding of the connection."""

    format = Format.BINARY

    def load(self, data: Buffer) -> bytes:
        """Copy it: what it is in goes with the result."""
        return bytes(data)


def _prepare(connection: psycopg.Connection) -> None:
    # Processes that start together wait for each other here, and end with the same key.
    with connection.transaction():
        connection.execute(sql.LOCK_OUT_OTHER_WRITERS)
        connection.execute(sql.SCHEMA)
        connection.execute(sql.OFFER_CURSOR_KEY, (token_bytes(32),))


def _snapshot(connection: psycopg.Connection, request: PageRequest) -> Snapshot:
    statement = sql.SNAPSHOT_OF_USER if request.state is None else sql.SNAPSHOT_OF_USER_AND_STATE
    parameters = {"user_id": request.user_id, "state": request.state}
    [(bound, total)] = connection.execute(statement, parameters).fetchall()
    return Snapshot(bound, total)


def _rows(connection: psycopg.Connection, request: PageRequest, snapshot: Snapshot) -> tuple[bytes | None, int | None]:
    statement = sql.page(request.form, by_state=request.state is not None)
    parameters = {
        "user_id": request.user_id,
        "state": request.state,
        "after": request.after,
        "bound": snapshot.bound,
        "limit": request.limit,
        "between": request.between,
    }
    with connection.cursor(binary=True) as cursor:
        cursor.adapters.register_loader("text", _Undecoded)
        [(items, last_id)] = cursor.execute(statement.encode(), parameters).fetchall()
    return items, last_id


def _add(connection: psycopg.Connection, memberships: Iterable[Membership]) -> int:
    try:
        return _copy(connection, sql.ADD, map(row_of, memberships))
    except psycopg.errors.UniqueViolation as error:
        reason = error.diag.message_detail
        raise MembershipIdTaken(f"A membership was not added, nor any other: {reason}") from error


def _copy(connection: psycopg.Connection, statement: str, rows: Iterable[Sequence[Any]]) -> int:
    cursor = connection.cursor()
    with cursor.copy(statement.encode()) as copy:
        for row in rows:
            copy.write_row(row)
    return cursor.rowcount


def _value(connection: psycopg.Connection, statement: str) -> Any:  # noqa: ANN401  (whatever the statement selects)
    [(value,)] = connection.execute(statement).fetchall()
    return value
