"""What every ServiceState promises."""

from dataclasses import replace
from datetime import timedelta

from memberships_export.domain.pause import Pause
from memberships_export.ports import ServiceState
from tests.fakes.memory import NOON

PAUSE = Pause(since=NOON, by="ops", reason="The API moves: 17:00\n\u2028 \u00fc", drain=True)


def test_a_service_works_until_it_is_paused(state: ServiceState) -> None:
    assert state.paused() is None
    assert state.pause(PAUSE) == PAUSE
    assert state.paused() == PAUSE


def test_a_second_pause_says_how_it_is_meant_and_the_first_one_since_when_and_by_whom(state: ServiceState) -> None:
    state.pause(PAUSE)
    second = Pause(since=NOON + timedelta(hours=1), by="somebody else", reason="", drain=False)

    assert state.pause(second) == replace(PAUSE, reason="", drain=False)
    assert state.paused() == replace(PAUSE, reason="", drain=False)


def test_resuming_tells_which_pause_has_ended_and_ends_it_once(state: ServiceState) -> None:
    state.pause(PAUSE)

    assert state.resume() == PAUSE
    assert state.paused() is None
    assert state.resume() is None
