"""How many mails a user may ask for in an hour."""

from datetime import datetime, timedelta

import pytest

from memberships_export.domain.errors import RateLimited
from memberships_export.domain.export.rate import HOUR, Turn, with_turn
from tests.factories import REQUESTED_AT as NOW

AHEAD, TICK = timedelta(minutes=1), timedelta(microseconds=1)
TURN = Turn("user-1", NOW, limit=2)


def test_one_turn_too_many_is_refused_with_the_limit_and_the_time_to_wait() -> None:
    with pytest.raises(RateLimited) as refused:
        with_turn([NOW - timedelta(minutes=30), NOW - timedelta(minutes=50)], TURN)
    assert refused.value.reason == (
        "You can ask for 2 exports an hour, and a mail sent again counts like one; try again in 600 seconds."
    )
    assert refused.value.retry_after == 600


@pytest.mark.parametrize("at", [NOW - HOUR + TICK, NOW, NOW + AHEAD - TICK])
def test_a_turn_counts_for_an_hour_and_also_when_a_clock_less_than_a_minute_ahead_noted_it(at: datetime) -> None:
    assert with_turn([at], TURN) == (at, NOW)


@pytest.mark.parametrize("at", [NOW - HOUR, NOW + AHEAD])
def test_a_turn_of_an_hour_ago_or_noted_before_a_clock_was_set_back_is_forgotten(at: datetime) -> None:
    assert with_turn([at], TURN) == (NOW,)
