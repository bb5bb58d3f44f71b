import signal
from functools import reduce

import pytest

from memberships_export.entrypoints.cli.serve.restarting import UNCLEAN, Past, after_end, how_it_ended


def after(*seconds_up: float | None) -> Past:
    return reduce(after_end, seconds_up, Past())


def test_the_first_that_dies_is_started_again_at_once() -> None:
    assert after(None).pause == after(5).pause == after(5000).pause == 0


@pytest.mark.parametrize("seconds_up", [None, 1.0])
def test_the_pause_grows_with_each_that_dies_soon_and_not_for_ever(seconds_up: float | None) -> None:
    pauses = [after(*[seconds_up] * times).pause for times in range(1, 9)]

    assert pauses == [0, 1, 2, 4, 8, 16, 30, 30]


def test_a_long_life_makes_good_for_short_ones() -> None:
    assert after(1, 1, 1, 60).pause == 0
    assert after(1, 1, 1, 60, 1).pause == 1


def test_what_never_comes_up_is_given_up_after_five_starts() -> None:
    assert not after(*[None] * 4).hopeless
    assert after(*[None] * 5).hopeless


def test_what_works_and_dies_is_never_given_up() -> None:
    assert not after(*[0.1] * 100).hopeless, "an export that kills its workers fails by itself; the others need them"


@pytest.mark.parametrize(
    "status, words",
    [
        (-signal.SIGKILL, "Signal 9 (SIGKILL): most likely the machine ran out of memory, or somebody killed it."),
        (-signal.SIGSEGV, "Signal 11 (SIGSEGV): a bug in a library that is no Python."),
        (-signal.SIGTERM, "Signal 15 (SIGTERM): somebody sent it."),
        (-40, "Signal 40: somebody sent it."),
        (0, "It ended as it was told to, but not by us."),
        (1, "Exit status 1: the lines above say why."),
        (UNCLEAN, "It ended before all of its threads had: what they left undone is on the record."),
    ],
)
def test_it_is_told_how_a_process_ended_and_what_that_usually_means(status: int, words: str) -> None:
    assert how_it_ended(status) == words
