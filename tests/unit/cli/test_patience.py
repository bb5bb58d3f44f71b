from collections.abc import Callable, Mapping

import pytest

from memberships_export.entrypoints.cli.ask.patience import Patience
from memberships_export.entrypoints.cli.ask.refusal import RefusedByService, refusal
from memberships_export.entrypoints.cli.exits import SomethingElseAnswers, Unreachable

AWAY = Unreachable("Nothing answers at http://x (connection refused).\nStart the service.")


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def patience(seconds: float, tell: Callable[[str], None] = lambda _text: None) -> Patience:
    time = Time()
    return Patience(seconds, tell, clock=lambda: time.now, sleep=time.sleep)


def reading(*steps: Exception | Mapping[str, str]) -> Callable[[], Mapping[str, str]]:
    left = list(steps)

    def read() -> Mapping[str, str]:
        step = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(step, Exception):
            raise step
        return step

    return read


def refused(status: int) -> RefusedByService:
    return refusal(status, {}, b"")


def test_a_service_that_comes_back_in_time_is_waited_for_and_that_is_said_once() -> None:
    said: list[str] = []
    read = reading(AWAY, refused(502), AWAY, {"status": "completed"})
    assert patience(300, said.append).ask(read) == {"status": "completed"}
    assert said == [
        "Nothing answers at http://x (connection refused). Trying again for up to 5 minutes.",
        "The service answers again.",
    ]


def test_patience_ends() -> None:
    said: list[str] = []
    with pytest.raises(Unreachable):
        patience(30, said.append).ask(reading(AWAY))
    assert said == ["Nothing answers at http://x (connection refused). Trying again for up to 30 seconds."]


def test_each_absence_has_its_own_patience() -> None:
    patient = patience(2)
    for _ in range(5):
        assert patient.ask(reading(AWAY, AWAY, {})) == {}


def test_no_patience_is_none() -> None:
    with pytest.raises(Unreachable):
        patience(0).ask(reading(AWAY, {}))


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_a_proxy_says_during_a_restart_is_waited_for(status: int) -> None:
    assert patience(10).ask(reading(refused(status), {})) == {}


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500])
def test_what_will_not_pass_is_told_at_once(status: int) -> None:
    with pytest.raises(RefusedByService):
        patience(10).ask(reading(refused(status), {}))


def test_something_else_on_that_port_is_told_at_once() -> None:
    with pytest.raises(SomethingElseAnswers):
        patience(10).ask(reading(SomethingElseAnswers("What answers is not the export API."), {}))
