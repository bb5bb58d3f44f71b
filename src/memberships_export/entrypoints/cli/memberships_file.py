"""The database of the bundled memberships API."""

import sqlite3

from memberships_api.sqlite_repository import SqliteMembershipRepository
from memberships_export.entrypoints.cli.exits import CommandError
from memberships_export.settings import Settings


def open_memberships(settings: Settings) -> SqliteMembershipRepository:
    """Open it in the data folder, making both first if need be. Raises CommandError."""
    path = settings.data_dir / "memberships.db"
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        return SqliteMembershipRepository(path)
    except (OSError, sqlite3.Error) as error:
        raise CommandError(
            f"{path.absolute()} cannot be opened ({error}): check that this user may write there, and that it is a "
            "database of memberships."
        ) from error
