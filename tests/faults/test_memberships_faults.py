"""Whatever the memberships API does, the export waits or fails as it should, and no mail ever holds part of a file."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from memberships_export.adapters.identity.service_tokens import ServiceTokens
from memberships_export.adapters.source.call import HttpLimits, MembershipsHttp
from memberships_export.bootstrap.parts import utc_now
from memberships_export.domain.export.record import Export, ExportStatus
from rig.services.fake_memberships import FakeMemberships, closed_port
from rig.waiting import until
from tests.fakes.impatience import ImpatientOnce
from tests.fakes.world import World

ROWS = 7  # three pages
# Impatient only with what goes on for ever: a busy machine must not look like a fault.
PATIENT = HttpLimits(body_bytes=64 * 1024)
IMPATIENT = HttpLimits(connect_seconds=5, read_seconds=0.5, total_seconds=1, body_bytes=64 * 1024)
ENDLESS = {"hang", "hang-mid-body", "slow-loris"}

TOKENS = ServiceTokens(secret="s" * 40, issuer="test", audience="memberships-api", clock=utc_now)

UNAVAILABLE, CUT, REFUSED = "memberships_unavailable", "memberships_cut_short", "memberships_refused"
WAITS = {
    "status:429:Retry-After=120": (UNAVAILABLE, "answered with status 429"),
    "status:500": (UNAVAILABLE, "answered with status 500"),
    "status:503": (UNAVAILABLE, "answered with status 503"),
    "status:401": (REFUSED, "answered with status 401: it does not accept the worker's token"),
    "status:403": (REFUSED, "answered with status 403"),
    "hang": (UNAVAILABLE, ""),
    "hang-mid-body": (UNAVAILABLE, ""),
    "slow-loris": (UNAVAILABLE, ""),
    "reset-mid-body": (UNAVAILABLE, ""),
    "short-body": (UNAVAILABLE, ""),
    "truncated-json": (CUT, "ends in its middle"),
    "cut-chunks": (UNAVAILABLE, ""),
    "cut-behind-brace": (UNAVAILABLE, ""),
    "cut-chunk-behind-brace": (UNAVAILABLE, ""),
    "cut-without-length": (CUT, "ends in its middle"),
    "empty": (CUT, "an empty answer"),
    "garbage": (UNAVAILABLE, ""),
}
FINE = ["byte-order-mark", "blank-lines", "named-charset", "ends-with-connection", "chunked"]
FAILS = {
    "status:404": "memberships_contract_broken",
    "redirect": "memberships_contract_broken",
    "html": "memberships_contract_broken",
    "array": "memberships_contract_broken",
    "lone-surrogate": "memberships_contract_broken",
    "over-limit": "memberships_contract_broken",
    "announced-over-limit": "memberships_contract_broken",
    "gzip-bomb": "memberships_contract_broken",
    "looping-cursor": "memberships_contract_broken",
    "repeated-cursor": "memberships_contract_broken",
    "duplicate-ids": "memberships_contract_broken",
    "empty-with-cursor": "memberships_contract_broken",
    "no-items": "memberships_contract_broken",
    "foreign-row": "foreign_rows",
    "too-many": "row_count_mismatch",
}


def world_over(url: str, limits: HttpLimits = PATIENT, **policy: Any) -> World:  # noqa: ANN401  (fields of Policy)
    world = World(source=MembershipsHttp(url, TOKENS, limits=limits), **policy)
    world.services = world.over(world.ports)
    return world


def after_one_attempt(world: World) -> Export:
    export = world.request()
    world.work()
    return world.export(export)


def once_over(world: World, export: Export) -> Export:
    """Let time pass until nothing more will happen to it."""
    while world.export(export).unfinished:
        world.pass_time()
    return world.export(export)


def mailed_rows(world: World) -> list[int]:
    """Count the lines of each mailed file; one more line than rows may come from line breaks inside cells."""
    return [mail.attachment.content.count(b'\r\n"') for mail in world.mails if mail.attachment]


@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize("fault", WAITS)
def test_what_will_pass_is_waited_for_and_then_the_whole_file_is_mailed(fault: str, page: int) -> None:
    with FakeMemberships(ROWS, script=["ok"] * (page - 1) + [fault]) as fake:
        world = world_over(fake.url)
        if fault in ENDLESS:
            source = ImpatientOnce(MembershipsHttp(fake.url, TOKENS, PATIENT), IMPATIENT, page)
            world.services = world.over(replace(world.ports, source=source))
        waiting = after_one_attempt(world)
        until(lambda: len(fake.calls) == page, "the call that was given up", progress=lambda: len(fake.calls))
        assert waiting.status is ExportStatus.WAITING
        assert waiting.trouble is not None
        code, words = WAITS[fault]
        assert waiting.trouble.code == code
        assert words in waiting.trouble.reason
        assert not world.mails
        world.pass_time()
    assert world.export(waiting).status is ExportStatus.COMPLETED
    assert mailed_rows(world) == [ROWS]
    assert len(fake.calls) == 4, "only the page that did not arrive is fetched again"


@pytest.mark.parametrize("fault", FINE)
def test_an_odd_way_to_send_a_whole_page_is_fine(fault: str) -> None:
    with FakeMemberships(ROWS, script=[f"{fault}*"]) as fake:
        world = world_over(fake.url)
        assert after_one_attempt(world).status is ExportStatus.COMPLETED
    assert mailed_rows(world) == [ROWS]


@pytest.mark.parametrize("fault", ["status:401", "status:403"])
def test_a_refusal_that_nobody_mends_fails_after_an_hour_with_a_code_of_its_own(fault: str) -> None:
    with FakeMemberships(ROWS, script=["ok", f"{fault}*"]) as fake:
        world = world_over(fake.url)
        export = after_one_attempt(world)
        asked_at = world.clock()
        failed = once_over(world, export)
    assert failed.failure is not None
    assert failed.failure.code == "still_refused"
    assert (
        f"Tried for 60 minutes. The last trouble: The memberships API at 127.0.0.1:{fake.port}" in failed.failure.reason
    )
    assert failed.failure.at - asked_at == timedelta(minutes=60)
    assert len(world.failure_mails) == len(world.dead_letters.letters) == 1


def test_a_page_that_ends_in_its_middle_every_time_fails_after_an_hour() -> None:
    with FakeMemberships(ROWS, script=["cut-without-length*"]) as fake:
        world = world_over(fake.url)
        failed = once_over(world, after_one_attempt(world))
    assert failed.failure is not None
    assert failed.failure.code == "memberships_contract_broken"
    assert "ends in its middle" in failed.failure.reason


def test_rows_beyond_the_announced_total_fail_at_once_and_not_with_the_last_page() -> None:
    with FakeMemberships(ROWS, script=["too-many*"]) as fake:
        failed = after_one_attempt(world_over(fake.url))
    assert failed.failure is not None
    assert f"announced {ROWS} memberships and sent" in failed.failure.reason
    assert len(fake.calls) == 3


def test_a_cursor_too_long_to_keep_is_told_on_the_record_and_not_stored() -> None:
    with FakeMemberships(ROWS, script=["long-cursor"]) as fake:
        failed = after_one_attempt(world_over(fake.url, HttpLimits()))
    assert failed.failure is not None
    assert failed.failure.code == "memberships_contract_broken"
    assert "page 1 with a nextCursor of 5000000 bytes, and at most 2048 are taken" in failed.failure.reason


@pytest.mark.parametrize("page", [1, 2])
@pytest.mark.parametrize("fault", FAILS)
def test_what_will_not_pass_fails_with_its_reason_and_mails_no_file(fault: str, page: int) -> None:
    with FakeMemberships(ROWS, script=["ok"] * (page - 1) + [f"{fault}*"]) as fake:
        world = world_over(fake.url)
        failed = after_one_attempt(world)
    assert failed.status is ExportStatus.FAILED
    assert failed.failure is not None
    assert failed.failure.code == FAILS[fault]
    assert not world.mails
    assert len(world.failure_mails) == len(world.dead_letters.letters) == 1


def test_an_api_that_forgot_its_cursor_once_is_walked_from_the_first_page_again() -> None:
    with FakeMemberships(ROWS, script=["ok", "status:404"]) as fake:
        world = world_over(fake.url)
        done = after_one_attempt(world)
    assert (done.status, done.progress.restarts) == (ExportStatus.COMPLETED, 1)
    assert mailed_rows(world) == [ROWS]


def test_a_wrong_total_fails_when_the_last_page_is_in() -> None:
    with FakeMemberships(ROWS, script=["wrong-total"]) as fake:
        failed = after_one_attempt(world_over(fake.url))
    assert failed.failure is not None
    assert failed.failure.code == "row_count_mismatch"


def test_smaller_pages_than_asked_for_are_fine() -> None:
    with FakeMemberships(ROWS, script=["shrinking", "shrinking"]) as fake:
        world = world_over(fake.url)
        assert after_one_attempt(world).status is ExportStatus.COMPLETED
    assert mailed_rows(world) == [ROWS]


@pytest.mark.parametrize("end", ["hang-up", "reset"])
def test_a_connection_that_ends_is_waited_for_unless_it_was_a_kept_one(end: str) -> None:
    with FakeMemberships(ROWS, script=[end, "ok", end]) as fake:
        world = world_over(fake.url)
        waiting = after_one_attempt(world)
        assert waiting.status is ExportStatus.WAITING
        world.pass_time()
        assert world.export(waiting).status is ExportStatus.COMPLETED
    assert len(fake.calls) == 5
    assert mailed_rows(world) == [ROWS]


def test_a_closed_port_is_waited_for() -> None:
    with closed_port() as port:
        world = world_over(f"http://127.0.0.1:{port}")
        assert after_one_attempt(world).status is ExportStatus.WAITING


def test_retry_after_of_a_real_answer_sets_the_next_attempt() -> None:
    with FakeMemberships(ROWS, script=["status:429:Retry-After=120"]) as fake:
        world = world_over(fake.url)
        waiting = after_one_attempt(world)
    assert waiting.wake_at is not None
    assert (waiting.wake_at - world.clock()).total_seconds() == 120


@pytest.mark.parametrize(
    "bound,words,calls",
    [
        ({"max_pages": 4}, "sent 4 pages and a cursor to another one", 4),
        ({"max_bytes": 1000}, "bytes in 3 pages", 3),
        ({"max_time": timedelta(0)}, "After 0 hours 0 pages", 0),
    ],
)
def test_an_api_that_never_ends_is_left_with_the_limit_on_the_record(
    bound: dict[str, Any], words: str, calls: int
) -> None:
    with FakeMemberships(10**6, script=["shrinking*"]) as fake:
        world = world_over(fake.url, **bound)
        failed = after_one_attempt(world)
    assert failed.failure is not None
    assert failed.failure.code == "limit_exceeded"
    assert words in failed.failure.reason
    assert len(fake.calls) == calls
    assert not world.mails
    assert len(world.failure_mails) == len(world.dead_letters.letters) == 1
