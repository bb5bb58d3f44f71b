"""When to try again, and when not any more."""

from dataclasses import replace
from datetime import timedelta

import pytest

from memberships_export.domain.errors import (
    GaveUpWaiting,
    MembershipsContractBroken,
    MembershipsCutShort,
    MembershipsRefused,
    PermanentError,
    StillRefused,
    TransientError,
)
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Trouble
from memberships_export.domain.export.retry import GiveUpWith, WaitUntil, back_in, plan
from tests.factories import REQUESTED_AT as NOW

POLICY = Policy()


def trouble(count: int, since_seconds: float = 0) -> Trouble:
    return Trouble(code="c", reason="r", since=NOW - timedelta(seconds=since_seconds), count=count)


@pytest.mark.parametrize(
    "count, jitter, seconds",
    [
        (1, 0.0, 5),
        (2, 0.0, 10),
        (3, 0.0, 20),
        (8, 0.0, 640),
        (9, 0.0, 900),  # the longest pause
        (5000, 0.0, 900),  # no overflow
        (1, 1.0, 2.5),  # jitter takes off up to half
        (9, 0.5, 675),
    ],
)
def test_the_pause_doubles_up_to_a_limit_less_jitter(count: int, jitter: float, seconds: float) -> None:
    assert plan(TransientError(), trouble(count), NOW, POLICY, jitter) == WaitUntil(NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("asked, seconds", [(2, 5), (60, 60), (7200, 7200)])
def test_what_the_other_side_asks_for_is_a_lower_bound(asked: float, seconds: float) -> None:
    error = TransientError(retry_after=asked)
    assert plan(error, trouble(1), NOW, POLICY, 0.0) == WaitUntil(NOW + timedelta(seconds=seconds))


def test_nobody_makes_us_wait_past_the_day() -> None:
    error = TransientError(retry_after=10**6)
    assert plan(error, trouble(2, 3600), NOW, POLICY, 0.0) == WaitUntil(NOW + timedelta(hours=23))


def test_after_a_day_of_unbroken_trouble_it_gives_up_and_says_over_what() -> None:
    decision = plan(TransientError("connection refused"), trouble(90, 86_400), NOW, POLICY, 0.0)
    assert isinstance(decision, GiveUpWith)
    assert decision.error.reason == "Tried for 24 hours. The last trouble: connection refused"


def test_a_message_whose_record_cannot_be_reached_comes_back_soon_at_first_and_over_eight_hours_in_all() -> None:
    minutes = [pause and pause / 60 for pause in map(back_in, range(1, 6))]
    assert minutes == [1, 10, 90, 360, None], "and then the queue makes a dead letter of it"


REFUSED, CUT = MembershipsRefused("Status 401."), MembershipsCutShort("Cut.")


@pytest.mark.parametrize(
    "error,final", [(REFUSED, StillRefused), (CUT, MembershipsContractBroken), (TransientError("No."), GaveUpWaiting)]
)
def test_what_a_person_has_to_mend_is_tried_for_an_hour_and_an_outage_for_a_day(
    error: TransientError, final: type[PermanentError]
) -> None:
    seconds = 86_400 if final is GaveUpWaiting else 3600
    assert plan(error, trouble(9, seconds - 1), NOW, POLICY, 0.0) == WaitUntil(NOW + timedelta(seconds=1))
    over = plan(error, trouble(9, seconds), NOW, POLICY, 0.0)
    assert isinstance(over, GiveUpWith)
    assert type(over.error) is final
    tried = "24 hours" if final is GaveUpWaiting else "60 minutes"
    assert over.error.reason == f"Tried for {tried}. The last trouble: {error.reason}"


def test_the_hour_of_a_refusal_begins_with_it_and_not_with_an_outage_before_it() -> None:
    after_an_outage = replace(trouble(40, 10 * 3600), same_since=NOW - timedelta(minutes=59))
    assert plan(REFUSED, after_an_outage, NOW, POLICY, 0.0) == WaitUntil(NOW + timedelta(minutes=1))
    over = plan(REFUSED, replace(after_an_outage, same_since=NOW - timedelta(minutes=60)), NOW, POLICY, 0.0)
    assert isinstance(over, GiveUpWith)


def test_refusals_and_outages_in_turn_end_with_the_day_too() -> None:
    over = plan(REFUSED, replace(trouble(99, 86_400), same_since=NOW), NOW, POLICY, 0.0)
    assert isinstance(over, GiveUpWith)
    assert "Tried for 24 hours" in over.error.reason


@pytest.mark.parametrize(
    "minutes, tried",
    [(1, "1 minutes"), (119, "119 minutes"), (120, "2 hours"), (121.5, "2.025 hours")],
)
def test_how_long_it_was_tried_is_said_in_hours_from_two_on(minutes: float, tried: str) -> None:
    policy = Policy(give_up_after=timedelta(minutes=minutes))
    over = plan(TransientError("No."), trouble(9, minutes * 60), NOW, policy, 0.0)
    assert isinstance(over, GiveUpWith)
    assert over.error.reason == f"Tried for {tried}. The last trouble: No."


def test_who_asks_for_nothing_gets_a_pause_as_short_as_the_policy_has_it() -> None:
    policy = Policy(first_back_off=timedelta(milliseconds=100))
    assert plan(TransientError(), trouble(1), NOW, policy, 0.0) == WaitUntil(NOW + timedelta(milliseconds=100))
    assert plan(TransientError(retry_after=0), trouble(1), NOW, policy, 0.0) == WaitUntil(NOW + policy.first_back_off)


def test_the_pause_doubles_sixteen_times_at_most() -> None:
    policy = Policy(longest_back_off=timedelta(days=300), give_up_after=timedelta(days=1000))
    longest = WaitUntil(NOW + timedelta(seconds=5 * 65_536))
    assert [plan(TransientError(), trouble(n), NOW, policy, 0.0) for n in (17, 18, 5000)] == [longest] * 3
