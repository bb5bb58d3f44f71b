from collections.abc import Iterator
from itertools import count, repeat

import pytest

from rig import waiting
from rig.waiting import LAST_RESORT_SECONDS, PATIENCE_SECONDS, until


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Let half the patience pass between two looks, and count them."""
    now = count(0, PATIENCE_SECONDS / 2)
    monkeypatch.setattr(waiting, "monotonic", lambda: next(now))
    monkeypatch.setattr(waiting, "_LOOK_EVERY_SECONDS", 0)
    return count()


def test_what_is_seen_is_returned_however_long_it_took_as_long_as_something_moved(looks: Iterator[int]) -> None:
    answers = iter([None] * 20 + ["seen"])

    assert until(lambda: next(answers), "it", progress=lambda: next(looks)) == "seen"


def test_a_wait_ends_when_nothing_moves_any_more_and_tells_why(looks: Iterator[int]) -> None:
    done = iter([1, 1, 2, *repeat(3, 10)])

    with pytest.raises(AssertionError, match=r"Nothing moved for 120 s: the mail\.\nthe log"):
        until(lambda: next(looks) < 0, "the mail", progress=lambda: next(done), tell=lambda: "the log")

    assert next(looks) == 5, "twice without progress after the last one"


def test_what_goes_on_for_ever_ends_as_well(looks: Iterator[int]) -> None:
    with pytest.raises(AssertionError, match="It went on for 1800 s: it"):
        until(lambda: None, "it", progress=lambda: next(looks))

    assert next(looks) >= LAST_RESORT_SECONDS / PATIENCE_SECONDS
