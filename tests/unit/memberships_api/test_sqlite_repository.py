"""What SQLite alone is asked; the rest is in the contract of all repositories."""

import sqlite3
from contextlib import closing
from pathlib import Path

from memberships_api.sample import sample_memberships
from memberships_api.sqlite_repository import SqliteMembershipRepository


def test_the_file_is_in_wal_mode(repository: SqliteMembershipRepository, tmp_path: Path) -> None:
    repository.add(sample_memberships(1, "user-1"))
    with closing(sqlite3.connect(tmp_path / "memberships.sqlite3")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
