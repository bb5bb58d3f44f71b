"""A database that is away when the process starts."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from memberships_api.deferred_repository import DeferredRepository
from memberships_api.repository import MembershipRepository, MembershipsUnavailable
from memberships_api.router import memberships_router
from memberships_api.sample import sample_memberships
from memberships_api.sqlite_repository import SqliteMembershipRepository
from rig.waiting import PATIENCE_SECONDS


class Clock:
    """Seconds that pass when the test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[SqliteMembershipRepository]:
    repository = SqliteMembershipRepository(tmp_path / "memberships.db")
    repository.add(sample_memberships(3, "user-1"))
    yield repository
    repository.close()


def opening(*outcomes: MembershipRepository | Exception) -> Callable[[], MembershipRepository]:
    """Open with these outcomes, one after the other; one more attempt is an error."""
    left = iter(outcomes)

    def attempt() -> MembershipRepository:
        outcome = next(left)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return attempt


def test_it_is_tried_again_until_it_is_there(repository: SqliteMembershipRepository) -> None:
    clock, away = Clock(), MembershipsUnavailable("It is away.")
    app = FastAPI()
    deferred = DeferredRepository(opening(away, away, repository), clock)
    app.include_router(memberships_router(deferred, lambda _: "user-1"))
    statuses = []
    with TestClient(app) as client:
        for _ in range(4):
            statuses.append(client.get("/memberships?limit=1").status_code)
            clock.now += 5
    assert statuses == [503, 503, 200, 200]


def test_after_a_failure_nobody_tries_for_five_seconds(repository: SqliteMembershipRepository) -> None:
    clock = Clock()
    deferred = DeferredRepository(opening(MembershipsUnavailable("It is away."), repository), clock)
    for _ in range(3):
        with pytest.raises(MembershipsUnavailable, match="It is away"):
            deferred.cursor_key()
    clock.now += 5
    assert deferred.cursor_key() == repository.cursor_key()


def test_while_one_thread_tries_the_others_are_told_at_once(repository: SqliteMembershipRepository) -> None:
    trying, there = Event(), Event()

    def slow() -> MembershipRepository:
        trying.set()
        assert there.wait(PATIENCE_SECONDS)
        return repository

    deferred = DeferredRepository(slow)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(deferred.cursor_key)
        assert trying.wait(PATIENCE_SECONDS)
        with pytest.raises(MembershipsUnavailable, match="being opened"):
            deferred.cursor_key()
        there.set()
        assert first.result() == repository.cursor_key()


def test_an_error_that_nobody_foresaw_does_not_end_the_attempts(repository: SqliteMembershipRepository) -> None:
    deferred = DeferredRepository(opening(RuntimeError("a bug"), repository))
    with pytest.raises(RuntimeError):
        deferred.cursor_key()
    assert deferred.cursor_key() == repository.cursor_key()
