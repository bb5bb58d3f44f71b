"""A connection that ended while nobody used it costs a GET one more try; a mail never has such a one."""

import ssl

import pytest

from memberships_export.adapters.identity.service_tokens import ServiceTokens
from memberships_export.adapters.source.call import HttpLimits, MembershipsHttp
from memberships_export.domain.errors import MembershipsUnavailable
from memberships_export.domain.export.record import Evidence
from rig.services.fake_memberships import FakeMemberships
from rig.services.fake_sendgrid import FakeSendGrid
from rig.services.sendgrid_behaviour import ACCEPT_THEN_RESET, RESET_BEFORE_BODY, Behaviour
from rig.waiting import PATIENCE_SECONDS, until
from tests.contract.mailers import a_mail, sendgrid
from tests.fakes.impatience import impatient
from tests.readers import own_page, own_table

TOKENS = ServiceTokens("s" * 32, "memberships-export", "memberships-api")
LIMITS = HttpLimits()
BREAKS = ["hang-up", "reset"]


@pytest.mark.parametrize("end", BREAKS)
def test_a_get_is_repeated_once_when_its_kept_connection_breaks_before_the_answer(end: str) -> None:
    with FakeMemberships(5, ["ok", end]) as fake:
        source = MembershipsHttp(fake.url, TOKENS, LIMITS)
        for _ in range(3):
            assert len(own_table(own_page(source)).cells[0]) == 5
        assert (len(fake.calls), fake.accepted) == (4, 2)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("end", BREAKS)
def test_a_get_over_tls_is_repeated_too(end: str, tls: ssl.SSLContext) -> None:
    with FakeMemberships(5, ["ok", end], tls=tls) as fake:
        source = MembershipsHttp(fake.url, TOKENS, LIMITS)
        for _ in range(3):
            assert len(own_table(own_page(source)).cells[0]) == 5
        assert (len(fake.calls), fake.accepted) == (4, 2)


@pytest.mark.parametrize("end", BREAKS)
def test_a_get_on_a_new_connection_is_not_repeated(end: str) -> None:
    with FakeMemberships(5, [end]) as fake:
        with pytest.raises(MembershipsUnavailable, match="broke off its answer"):
            own_page(MembershipsHttp(fake.url, TOKENS, LIMITS))
        assert len(fake.calls) == 1


@pytest.mark.parametrize("end", BREAKS)
def test_a_get_is_repeated_only_once(end: str) -> None:
    with FakeMemberships(5, ["ok", end, end]) as fake:
        source = MembershipsHttp(fake.url, TOKENS, LIMITS)
        own_page(source)
        with pytest.raises(MembershipsUnavailable, match="broke off its answer"):
            own_page(source)
        assert len(fake.calls) == 3
        own_page(source)


@pytest.mark.parametrize("step", ["short-body", "cut-chunks", "reset-mid-body", "garbage", "status:503"])
def test_a_get_that_was_answered_is_not_repeated(step: str) -> None:
    with FakeMemberships(5, ["ok", step]) as fake:
        source = MembershipsHttp(fake.url, TOKENS, LIMITS)
        own_page(source)
        with pytest.raises(MembershipsUnavailable):
            own_page(source)
        assert len(fake.calls) == 2


def test_a_kept_connection_that_is_slow_is_not_taken_for_an_ended_one() -> None:
    with FakeMemberships(5, ["ok", "hang"]) as fake:
        source = MembershipsHttp(fake.url, TOKENS, LIMITS)
        own_page(source)
        with pytest.raises(MembershipsUnavailable, match="kept us waiting"):
            own_page(impatient(source, HttpLimits(read_seconds=0.1, total_seconds=10)))
        until(lambda: len(fake.calls) > 1, "the call that was given up", progress=lambda: fake.accepted)
    assert (len(fake.calls), fake.accepted) == (2, 1)


def test_the_repetition_takes_no_other_kept_connection_that_ended_too() -> None:
    with FakeMemberships(5) as fake:
        source = MembershipsHttp(fake.url, TOKENS, LIMITS)
        shown = {"Authorization": f"Bearer {TOKENS('anna')}"}
        pool = source._pool  # noqa: SLF001  (two answers at once, without threads)
        first, second = (
            pool.urlopen("GET", "/memberships", headers=shown, preload_content=False, timeout=PATIENCE_SECONDS)
            for _ in range(2)
        )
        assert (first.read(), fake.accepted) == (second.read(), 2)
        fake.follow("hang-up", "ok", "ok")
        own_page(source)
        own_page(source)
        assert fake.accepted == 3


def test_each_mail_has_a_connection_of_its_own() -> None:
    with FakeSendGrid() as fake:
        mailer = sendgrid(fake.url)
        assert [mailer.send(a_mail()).evidence for _ in range(3)] == [Evidence.ACCEPTED] * 3
        assert fake.connections == 3


@pytest.mark.parametrize("end", [RESET_BEFORE_BODY, ACCEPT_THEN_RESET])
def test_a_mail_is_never_repeated(end: Behaviour) -> None:
    with FakeSendGrid([end]) as fake:
        assert sendgrid(fake.url).send(a_mail()).evidence is not Evidence.ACCEPTED
        assert (fake.requests, fake.connections) == (1, 1)
