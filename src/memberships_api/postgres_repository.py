"""Memberships in a PostgreSQL database."""

from collections.abc import Collection, Iterable
from secrets import token_bytes
from typing import Any

import psycopg

from memberships_api import postgres_statements as sql
from memberships_api.membership import Membership
from memberships_api.postgres_connections import Connections
from memberships_api.repository import MembershipIdTaken, Occupied, Page, PageRequest, Snapshot


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

    def occupied(self, users: Collection[str], ids: Collection[int]) -> Occupied:
        """Tell what is there already for these users and ids."""
        with self._connections.lend() as connection:
            highest_id = int(_value(connection, sql.HIGHEST_ID))
            by_user = dict(connection.execute(sql.HIGHEST_ID_BY_USER, (list(users),)).fetchall())
            taken = {row[0] for row in connection.execute(sql.TAKEN_IDS, (list(ids),))}
        return Occupied(highest_id, by_user, taken)

    def add(self, memberships: Iterable[Membership]) -> int:
        """Add all of them in one transaction; they are sent while they are made, and never held together."""
        with self._connections.lend() as connection, connection.transaction():
            connection.execute(sql.LOCK_OUT_OTHER_WRITERS)
            try:
                return _copy(connection, memberships)
            except psycopg.errors.UniqueViolation as error:
                reason = error.diag.message_detail
                raise MembershipIdTaken(f"A membership was not added, nor any other: {reason}") from error


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
    statement = sql.PAGE_OF_USER if request.state is None else sql.PAGE_OF_USER_AND_STATE
    parameters = {
        "user_id": request.user_id,
        "state": request.state,
        "after": request.after,
        "bound": snapshot.bound,
        "limit": request.limit,
    }
    # Binary: as text, every byte would travel as two hexadecimal digits.
    [(items, last_id)] = connection.execute(statement, parameters, binary=True).fetchall()
    return items, last_id


def _copy(connection: psycopg.Connection, memberships: Iterable[Membership]) -> int:
    cursor = connection.cursor()
    with cursor.copy(sql.ADD) as copy:
        for membership in memberships:
            copy.write_row(_as_row(membership))
    return cursor.rowcount


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


def _value(connection: psycopg.Connection, statement: str) -> Any:  # noqa: ANN401  (whatever the statement selects)
    [(value,)] = connection.execute(statement).fetchall()
    return value
