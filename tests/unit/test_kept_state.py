"""What a process knows of the state of the service."""

import pytest

from memberships_export.bootstrap.kept_state import KeptState
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.pause import Pause
from tests.fakes.memory import NOON, MemoryServiceState

PAUSE = Pause(since=NOON, by="ops")


class State(MemoryServiceState):
    """Counts how often it is read; `away` refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.away = False

    def paused(self) -> Pause | None:
        self.reads += 1
        if self.away:
            raise StorageUnavailable
        return super().paused()


def test_it_is_read_once_in_so_many_seconds() -> None:
    now = [7.0]
    state = State()
    kept = KeptState(state, 1.0, lambda: now[0])
    assert [kept.paused() for _ in range(20)] == [None] * 20
    state.pause(PAUSE)
    assert kept.paused() is None
    assert state.reads == 1
    now[0] += 1.0
    assert [kept.paused() for _ in range(20)] == [PAUSE] * 20
    assert state.reads == 2


def test_a_process_knows_at_once_what_it_did_itself() -> None:
    kept = KeptState(State(), 1000.0)
    assert kept.paused() is None
    kept.pause(PAUSE)
    assert kept.paused() == PAUSE
    assert kept.resume() == PAUSE
    assert kept.paused() is None


def test_what_was_known_stays_while_the_store_is_away_and_nothing_is_made_up_before() -> None:
    now = [7.0]
    state = State()
    kept = KeptState(state, 1.0, lambda: now[0])
    state.away = True
    with pytest.raises(StorageUnavailable):
        kept.paused()
    state.away = False
    state.pause(PAUSE)
    assert kept.paused() == PAUSE
    state.away = True
    now[0] += 5.0
    assert kept.paused() == PAUSE
