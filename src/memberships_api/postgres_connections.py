"""Connections to one PostgreSQL database: a few, reused, replaced when the server has gone; troubles put into words."""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from memberships_api.repository import DatabaseRefuses, MembershipsUnavailable

_MOST_CONNECTIONS = 10  # of one process; a server allows 100 in all, unless told otherwise
_OLDEST_SERVER = 16
_BUSY = "Somebody else, such as another import, is writing memberships: wait until that has ended and try again."

# What the URL does not say. A server that vanished must not hold a request for hours.
_DEFAULTS: Final[Mapping[str, Any]] = {
    "connect_timeout": 10,
    "tcp_user_timeout": 30_000,  # milliseconds
    "application_name": "memberships-api",
}

# What does not pass by itself. libpq hands a refusal on as text only: one that is not known here counts as one that
# passes, such as those of a server, or of a pooler before it, that is starting, stopping or full.
_FINAL = (
    "password authentication failed",
    "does not exist",
    "pg_hba.conf",
    "permission denied",
    "is not permitted to log in",
    "no such database",
    "no such user",
)

# The server is away, broken or refuses us. Not among them: errors in what was asked, such as an id that is taken.
_TROUBLES = (psycopg.OperationalError, psycopg.InternalError, psycopg.ProgrammingError)


class Connections:
    """Lends connections in autocommit mode to any number of threads."""

    def __init__(self, database_url: str) -> None:
        """Connect to nothing yet. Raises DatabaseRefuses."""
        self._parameters = {**_DEFAULTS, **_parameters(database_url)}
        self._idle: deque[psycopg.Connection] = deque()
        self._free = BoundedSemaphore(_MOST_CONNECTIONS)

    def close(self) -> None:
        """Close the idle connections; one that is lent stays open."""
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def lend(self) -> Iterator[psycopg.Connection]:
        """Lend one, waiting while all are in use. Raises MembershipsUnavailable for any trouble with the server."""
        with self._free, self._troubles_in_words():
            connection = self._idle_one() or self._open()
            try:
                yield connection
            except BaseException:
                connection.close()  # whatever it was doing, nobody else finds it half done
                raise
            self._idle.append(connection)

    def _idle_one(self) -> psycopg.Connection | None:
        # A server that was restarted leaves dead connections behind: asking costs far less than a page.
        while self._idle:
            connection = self._idle.pop()
            try:
                connection.execute("")
            except psycopg.OperationalError:
                connection.close()
            else:
                return connection
        return None

    def _open(self) -> psycopg.Connection:
        # No prepared statements: connection poolers such as PgBouncer may give each statement another server.
        connection = psycopg.connect(
            **self._parameters, autocommit=True, prepare_threshold=None, client_encoding="UTF8"
        )
        version = connection.info.server_version // 10_000
        if version < _OLDEST_SERVER:
            connection.close()
            raise self._trouble(DatabaseRefuses, f"it is PostgreSQL {version}, but {_OLDEST_SERVER} or newer is needed")
        return connection

    @contextmanager
    def _troubles_in_words(self) -> Iterator[None]:
        try:
            yield
        except psycopg.errors.LockNotAvailable as error:
            raise MembershipsUnavailable(_BUSY) from error
        except _TROUBLES as error:
            reason = error.diag.message_primary or " ".join(str(error).split())
            raise self._trouble(_kind_of(error), reason) from error

    def _trouble(self, kind: type[MembershipsUnavailable], reason: str) -> MembershipsUnavailable:
        database = self._parameters.get("dbname", "of the user's name")
        host = self._parameters.get("host") or "this machine"
        return kind(
            f"The PostgreSQL database {database} on {host} cannot be used ({reason}): check that the server runs, and "
            "host, database, user and password in the database URL."
        )


def _kind_of(error: psycopg.Error) -> type[MembershipsUnavailable]:
    final = isinstance(error, psycopg.ProgrammingError) or any(text in str(error) for text in _FINAL)
    return DatabaseRefuses if final else MembershipsUnavailable


def _parameters(database_url: str) -> dict[str, Any]:
    try:
        return dict(conninfo_to_dict(database_url))
    except psycopg.ProgrammingError:
        # Without the cause: its text quotes the part that was not understood, which may be the password.
        raise DatabaseRefuses(
            "The database URL is not like postgresql://user:password@host/database: write characters with a meaning "
            "in URLs, such as @ / : ? % in a password, as %40 %2F %3A %3F %25."
        ) from None
