"""What a process notices of itself in its own log."""

import logging
from datetime import timedelta

import pytest

from memberships_export.entrypoints.cli.serve.noticing import Noticing
from tests.fakes.memory import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def noticing(clock: FakeClock) -> Noticing:
    return Noticing(clock)


def logger(noticing: Noticing) -> logging.Logger:
    made = logging.getLogger("memberships_export.noticing_test")
    made.handlers, made.propagate = [noticing], False
    made.setLevel(logging.INFO)
    return made


def test_bugs_and_who_refuses_us_are_counted(noticing: Noticing, clock: FakeClock) -> None:
    log = logger(noticing)
    log.error("export=%s event=internal_error", "e")
    clock.advance(timedelta(minutes=5))
    log.error("event=unforeseen_error")
    log.error("by=%s status=%s event=refused reason=%s", "mail_service", 403, "It refuses.")
    log.warning("by=identity_provider status=503 event=key_set_unread reason=%s", "Its key set.")
    found = {one.kind: (one.count, one.last - one.since) for one in noticing()}
    assert found == {
        "internal_error": (2, timedelta(minutes=5)),
        "refused:mail_service": (1, timedelta(0)),
        "key_set_unread:identity_provider": (1, timedelta(0)),
    }


@pytest.mark.parametrize(
    "line",
    [
        "event=waiting reason=The body was event=internal_error by=mail_service",
        "by=memberships_api status=401 event=refused reason=x",
        "by=token_endpoint status=401 event=refused reason=x",
        "event=trouble code=storage_unavailable reason=x",
        "event=internal_errors",
    ],
)
def test_what_is_quoted_and_what_records_tell_is_left_out(noticing: Noticing, line: str) -> None:
    logger(noticing).error(line)
    assert noticing() == []


def test_what_goes_well_is_not_looked_at_and_what_was_an_hour_ago_is_over(noticing: Noticing, clock: FakeClock) -> None:
    logger(noticing).info("event=internal_error")
    assert noticing() == []
    logger(noticing).error("event=internal_error")
    clock.advance(timedelta(hours=1))
    assert noticing() == []
    logger(noticing).error("event=internal_error")
    [again] = noticing()
    assert (again.count, again.since) == (2, clock())


def test_another_process_can_count_what_this_one_notices(noticing: Noticing, clock: FakeClock) -> None:
    log = logger(Noticing(clock, tell=noticing.count))
    log.error("event=unforeseen_error")
    log.error("by=%s status=%s event=refused reason=%s", "mail_service", 403, "It refuses.")
    assert {(one.what, one.by): one.count for one in noticing()} == {
        ("internal_error", ""): 1,
        ("refused", "mail_service"): 1,
    }
