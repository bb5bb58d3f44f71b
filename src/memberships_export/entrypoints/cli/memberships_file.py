"""The database of the bundled memberships API."""

import sqlite3
from typing import TYPE_CHECKING

from memberships_api.repository import MembershipsUnavailable
from memberships_api.sqlite_repository import SqliteMembershipRepository
from memberships_export.entrypoints.cli.exits import CommandError
from memberships_export.settings import Settings, variable

if TYPE_CHECKING:
    from memberships_api.postgres_repository import PostgresMembershipRepository


def open_memberships(settings: Settings) -> "SqliteMembershipRepository | PostgresMembershipRepository":
    """Open the one of the settings, making what is missing first. Raises CommandError."""
    if settings.memberships_database_url:
        return _in_postgres(settings.memberships_database_url)
    return _in_data_folder(settings)


def _in_data_folder(settings: Settings) -> SqliteMembershipRepository:
    path = settings.data_dir / "memberships.db"
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        return SqliteMembershipRepository(path)
    except (OSError, sqlite3.Error) as error:
        raise CommandError(
            f"{path.absolute()} cannot be opened ({error}): check that this user may write there, and that it is a "
            "database of memberships."
        ) from error


def _in_postgres(database_url: str) -> "PostgresMembershipRepository":
    name = variable("memberships_database_url")
    try:
        from memberships_api.postgres_repository import PostgresMembershipRepository  # noqa: PLC0415  (optional)
    except ImportError as error:
        raise CommandError(f"{name} is set, but psycopg is missing: pip install 'psycopg[binary]'") from error
    try:
        return PostgresMembershipRepository(database_url)
    except MembershipsUnavailable as error:
        raise CommandError(f"{error} It is in {name}.") from error
