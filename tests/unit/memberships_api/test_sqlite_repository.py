"""What SQLite alone is asked; the rest is in the contract of all repositories."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from memberships_api import sqlite_repository
from memberships_api.repository import MembershipsUnavailable
from memberships_api.router import memberships_router
from memberships_api.sample import sample_memberships
from memberships_api.sqlite_repository import SqliteMembershipRepository


def test_the_file_is_in_wal_mode(repository: SqliteMembershipRepository, tmp_path: Path) -> None:
    repository.add(sample_memberships(1, "user-1"))
    with closing(sqlite3.connect(tmp_path / "memberships.sqlite3")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_service_starts_and_answers_while_an_import_is_writing(
    repository: SqliteMembershipRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.add(sample_memberships(1, "user-1"))
    monkeypatch.setattr(sqlite_repository, "BUSY_SECONDS", 0)
    with repository.staged([], [], update=False):
        with closing(SqliteMembershipRepository(tmp_path / "memberships.sqlite3")) as served:
            assert served.cursor_key() == repository.cursor_key()
        with pytest.raises(MembershipsUnavailable, match="another import, is writing to it"):
            SqliteMembershipRepository(tmp_path / "memberships.sqlite3").add(sample_memberships(1, "user-2"))


def test_a_file_that_breaks_under_a_running_service_is_answered_with_503(
    repository: SqliteMembershipRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_repository, "opened", lambda path, _: sqlite3.connect(path / "none"))
    repository.close()
    app = FastAPI()
    app.include_router(memberships_router(repository, lambda _: "user-1"))
    with TestClient(app) as client:
        answer = client.get("/memberships")
    assert answer.status_code == 503
    assert str(tmp_path) not in answer.text
