"""Empty databases for memberships, as many as a test likes, each removed when its block ends."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from memberships_api.postgres_repository import PostgresMembershipRepository
from memberships_api.sqlite_repository import SqliteMembershipRepository
from rig.services.postgres_server import PostgresServer

Repository = SqliteMembershipRepository | PostgresMembershipRepository
Open = Callable[[], Repository]
"""Opens the same database every time."""
NewDatabase = Callable[[], AbstractContextManager[Open]]


@contextmanager
def sqlite_database() -> Iterator[Open]:
    with TemporaryDirectory() as folder:
        yield partial(SqliteMembershipRepository, Path(folder) / "memberships.sqlite3")


@contextmanager
def postgres_database(server: PostgresServer) -> Iterator[Open]:
    with server.empty_schema() as url:
        yield partial(PostgresMembershipRepository, url)
