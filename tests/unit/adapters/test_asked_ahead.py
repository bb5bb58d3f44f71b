"""A page that is asked for before it is wanted: under way meanwhile, and else as one that is asked for then."""

import ssl

import pytest

from memberships_export.adapters.identity.service_tokens import ServiceTokens
from memberships_export.adapters.source.call import HttpLimits, MembershipsHttp
from memberships_export.domain.errors import ExportError, MembershipsUnavailable
from memberships_export.domain.source.asking import Ask, User
from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.ports import Awaited
from rig.services.fake_memberships import FakeMemberships
from rig.services.membership_faults import FAULTS
from rig.waiting import until
from tests.fakes.impatience import impatient
from tests.readers import own_page, own_reader
from tests.unit.adapters.asking import known, source

TOKENS = ServiceTokens("s" * 32, "memberships-export", "memberships-api")
LIMITS = HttpLimits(body_bytes=100_000)
SHORT = HttpLimits(connect_seconds=5, read_seconds=0.5, total_seconds=1, body_bytes=100_000)
NEVER_ENDS = ("hang", "slow")
STATUSES = ["status:401", "status:404", "status:429:Retry-After=7", "status:500", "status:302"]


def second_page() -> Call:
    return Ask(own_reader().known.profile, User("anna", ""), 10).page("10-25")


def open_source(fake: FakeMemberships, limits: HttpLimits = LIMITS) -> MembershipsHttp:
    """A source with an open connection, as it has one after a page; the limits are for what comes then."""
    club = MembershipsHttp(fake.url, TOKENS, LIMITS)
    own_page(club)
    return impatient(club, limits)


def asked(club: MembershipsHttp) -> Awaited:
    return club.ask(second_page(), own_reader().known)


def arrived(fake: FakeMemberships, calls: int) -> None:
    until(lambda: len(fake.calls) == calls, "the call", progress=lambda: len(fake.calls))


def test_the_request_has_left_before_its_answer_is_wanted() -> None:
    with FakeMemberships(25) as fake:
        page = asked(open_source(fake))
        arrived(fake, 2)
        assert page.answer() == MembershipsHttp(fake.url, TOKENS).fetch(second_page(), own_reader().known)
        assert fake.accepted == 2, "one for each source: the answer was read from the connection it was asked on"


@pytest.mark.usefixtures("trusted")
def test_it_leaves_over_tls_too(tls: ssl.SSLContext) -> None:
    with FakeMemberships(25, tls=tls) as fake:
        page = asked(open_source(fake))
        arrived(fake, 2)
        assert b'"id": 11' in page.answer().body
        assert fake.accepted == 1


def outcome(step: str, *, ahead: bool) -> tuple[Answer | tuple[type[ExportError], str, float | None], int]:
    """What comes of a page, and how many calls it took."""
    with FakeMemberships(25, ["ok", step]) as fake:
        club = open_source(fake, SHORT if step.startswith(NEVER_ENDS) else LIMITS)
        try:
            page: Answer | tuple[type[ExportError], str, float | None]
            page = asked(club).answer() if ahead else club.fetch(second_page(), own_reader().known)
        except ExportError as error:
            page = type(error), error.reason.replace(str(fake.port), "PORT"), getattr(error, "retry_after", None)
        until(lambda: len(fake.calls) > 1, "the call, also one that was given up", progress=lambda: fake.accepted)
    return page, len(fake.calls)


@pytest.mark.parametrize("step", ["ok", *FAULTS, *STATUSES])
def test_whatever_happens_to_it_ends_as_for_a_page_that_is_asked_for_when_it_is_wanted(step: str) -> None:
    (page, calls), (expected, expected_calls) = outcome(step, ahead=True), outcome(step, ahead=False)
    if isinstance(page, tuple) and isinstance(expected, tuple) and "longer than" in page[1] + expected[1]:
        page, expected = (
            (page[0], "", None),
            (expected[0], "", None),
        )  # which of two limits is met first is up to chance
    assert (page, calls) == (expected, expected_calls)


@pytest.mark.parametrize("place", ["x=é", "x=|", "x=%c3%a9", "x=a b"])
def test_a_link_that_is_not_quoted_is_sent_in_the_same_form(place: str) -> None:
    call = Call(user_id="anna", path="/memberships", query=f"limit=10&cursor=10-25&{place}")
    with FakeMemberships(25) as fake:
        club, profile = open_source(fake), own_reader().known
        page = club.ask(call, profile)
        arrived(fake, 2)
        assert page.answer() == club.fetch(call, profile)
        assert fake.targets[1] == fake.targets[2]


def test_an_answer_that_nobody_wants_leaves_nothing_behind_that_others_could_read() -> None:
    with FakeMemberships(25, ["ok", "status:500"]) as fake:
        club = open_source(fake)
        page = asked(club)
        arrived(fake, 2)
        page.drop()
        page.drop()
        assert b'"id": 11' in club.fetch(second_page(), own_reader().known).body
        assert (len(fake.calls), fake.accepted) == (3, 2)


def test_where_no_connection_is_open_nothing_is_waited_for_and_the_page_is_asked_for_when_it_is_wanted() -> None:
    with FakeMemberships(25) as fake:
        page = asked(MembershipsHttp(fake.url, TOKENS, LIMITS))
        assert (fake.calls, fake.accepted) == ([], 0)
        assert b'"id": 11' in page.answer().body


def test_two_pages_under_way_at_once_do_not_take_each_others_answers() -> None:
    with FakeMemberships(25) as fake:
        club, profile = open_source(fake), own_reader().known
        first = asked(club)
        second = club.ask(Ask(profile.profile, User("ben", ""), 3).page(None), profile)
        assert b'"userId": "ben"' in second.answer().body
        assert b'"id": 11' in first.answer().body


def test_the_time_that_a_page_may_take_begins_when_it_is_wanted() -> None:
    with FakeMemberships(25, ["ok", "hang"]) as fake:
        club = open_source(fake, HttpLimits(connect_seconds=5, read_seconds=0.2, total_seconds=5))
        page = asked(club)
        arrived(fake, 2)
        with pytest.raises(MembershipsUnavailable, match=r"kept us waiting for more than 0\.2 seconds"):
            page.answer()


def test_what_keeps_it_from_being_asked_is_told_by_its_answer() -> None:
    with FakeMemberships(25) as fake:
        profile = known({"type": "bearer", "token": "env:TOKEN"})
        page = source(fake.url, {}).ask(Call(user_id="anna", path="/memberships"), profile)
        with pytest.raises(ExportError):
            page.answer()
        assert fake.calls == []
