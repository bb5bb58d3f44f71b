"""The same over TLS, from the first byte on or by STARTTLS, as in real life."""

import ssl
from collections.abc import Callable

import pytest

from memberships_export.adapters.mail.smtp import client
from memberships_export.domain.export.record import Evidence
from memberships_export.domain.mail.mail import Attachment, SendResult
from rig.services.fake_smtp import FakeSmtp, Offer
from rig.services.smtp_behaviour import (
    ACCEPT_THEN_RESET,
    HANG,
    Behaviour,
    End,
    Step,
    answers,
    cut_content_after,
    ends,
)
from rig.waiting import PATIENCE_SECONDS
from tests.contract.mailers import a_mail, smtp
from tests.fakes.impatience import limit_begins_with
from tests.unit.adapters.test_watchdog import dripping_handshake

LOGIN = ("club-export", "pässword")
Opener = Callable[..., FakeSmtp]


@pytest.fixture(params=["starttls", "tls"])
def security(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(security: str, tls: ssl.SSLContext) -> Opener:
    """What starts a server of that kind, which wants a login."""

    def start(*script: Behaviour, receive_buffer: int | None = None) -> FakeSmtp:
        offer = Offer(tls=tls, implicit=security == "tls", login=LOGIN)
        return FakeSmtp(script, offer=offer, receive_buffer=receive_buffer)

    return start


def send(fake: FakeSmtp, security: str, **changes: object) -> SendResult:
    login = {"user": LOGIN[0], "password": lambda: LOGIN[1]}
    return smtp(fake.port, security=security, **(login | changes)).send(a_mail())


@pytest.mark.usefixtures("trusted")
def test_a_mail_arrives_and_everything_about_it_was_encrypted(security: str, server: Opener) -> None:
    with server() as fake:
        assert send(fake, security).evidence is Evidence.ACCEPTED
        assert [mail.encrypted for mail in fake.accepted] == [True]
    verbs = [command.split()[0].upper() for command in fake.commands]
    begins = ["EHLO", "STARTTLS", "EHLO"] if security == "starttls" else ["EHLO"]
    assert verbs == [*begins, "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]


def test_a_server_with_a_certificate_nobody_knows_gets_neither_password_nor_mail(
    security: str, server: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    with server() as fake:
        result = send(fake, security)
    assert (result.evidence, result.permanent, fake.mails) == (Evidence.REFUSED, False, [])
    assert "SSLCertVerificationError" in str(result.detail)
    assert "by=mail_service status=none event=refused" in caplog.text
    assert not [command for command in fake.commands if command.startswith(("AUTH", "MAIL"))]


@pytest.mark.usefixtures("trusted")
def test_a_certificate_of_another_host_is_as_bad(
    security: str, server: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    with server() as fake:
        result = send(fake, security, host="localhost")
    assert (result.evidence, fake.mails) == (Evidence.REFUSED, [])
    assert "Hostname mismatch" in caplog.text


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("count", [0, 1_000_000, 3_000_000])
def test_a_mail_that_was_cut_off_on_its_way_is_refused(count: int, security: str, server: Opener) -> None:
    mail = a_mail(attachment=Attachment("m.csv", "text/csv", b"x" * 9_000_000))
    with server(cut_content_after(count), receive_buffer=8 * 1024) as fake:
        mailer = smtp(fake.port, security=security, user=LOGIN[0], password=lambda: LOGIN[1])
        assert mailer.send(mail).evidence is Evidence.REFUSED


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    "behaviour, evidence",
    [
        (answers(Step.RCPT, "550 no"), Evidence.REFUSED),
        (ends(Step.RCPT, End.RESET), Evidence.REFUSED),
        (answers(Step.DOT, "451 no"), Evidence.REFUSED),
        (answers(Step.DOT, "hello"), Evidence.DOUBTFUL),
        (ACCEPT_THEN_RESET, Evidence.SILENT),
        (HANG, Evidence.SILENT),
        (Behaviour(at=Step.DOT, says=b"2", drip=b"555"), Evidence.SILENT),
    ],
)
def test_each_answer_proves_the_same(
    behaviour: Behaviour, evidence: Evidence, security: str, server: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = behaviour.drip or behaviour.end is End.HANG
    with server(behaviour) as fake:
        limit_begins_with(fake.endless, client, monkeypatch)
        assert send(fake, security, total_seconds=0.2 if endless else PATIENCE_SECONDS).evidence is evidence
        assert fake.connections == 1


def test_a_server_that_does_not_offer_starttls_gets_neither_password_nor_mail(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with FakeSmtp(offer=Offer(login=LOGIN)) as fake:
        result = send(fake, "starttls")
    assert result == SendResult(evidence=Evidence.REFUSED, detail="The server does not offer STARTTLS.")
    assert "by=mail_service status=none event=refused" in caplog.text
    assert [command.split()[0].upper() for command in fake.commands] == ["EHLO", "QUIT"]


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    "behaviour, told",
    [
        (answers(Step.STARTTLS, "454 4.7.0 not now"), False),
        (answers(Step.STARTTLS, "501 5.5.4 what"), True),
        (answers(Step.STARTTLS, "250 done"), False),
        (answers(Step.HANDSHAKE, "250 in the clear"), False),
        (ends(Step.HANDSHAKE, End.CLOSE), False),
    ],
)
def test_starttls_that_fails_is_never_gone_on_without(
    behaviour: Behaviour, tls: ssl.SSLContext, caplog: pytest.LogCaptureFixture, *, told: bool
) -> None:
    with FakeSmtp([behaviour], offer=Offer(tls=tls, login=LOGIN)) as fake:
        result = send(fake, "starttls")
    assert (result.evidence, result.permanent, fake.mails) == (Evidence.REFUSED, False, [])
    assert ("event=refused" in caplog.text) is told
    assert not [command for command in fake.commands if command.startswith(("AUTH", "MAIL"))]


@pytest.mark.usefixtures("trusted")
def test_what_was_said_before_the_encryption_is_not_believed_after_it(tls: ssl.SSLContext) -> None:
    injected = Behaviour(at=Step.STARTTLS, says=b"220 2.0.0 Go ahead\r\n250-injected\r\n250 AUTH PLAIN\r\n")
    with FakeSmtp([injected], offer=Offer(tls=tls, login=LOGIN, mechanisms="LOGIN")) as fake:
        result = send(fake, "starttls")
    assert not [command for command in fake.commands if command.startswith("AUTH PLAIN")]
    assert result.evidence is Evidence.ACCEPTED


def test_a_handshake_that_drips_is_refused_for_its_time() -> None:
    with dripping_handshake() as url:
        port = int(url.rpartition(":")[2])
        result = smtp(port, security="tls", connect_seconds=0.3).send(a_mail())
    assert result.evidence is Evidence.REFUSED
    assert "TimeoutError" in str(result.detail)


def test_a_handshake_after_starttls_that_never_comes_is_cut_off(tls: ssl.SSLContext) -> None:
    with FakeSmtp([ends(Step.HANDSHAKE, End.HANG)], offer=Offer(tls=tls)) as fake:
        result = smtp(fake.port, security="starttls", total_seconds=0.5).send(a_mail())
    assert result == SendResult(
        evidence=Evidence.REFUSED,
        detail="The connection to the mail server failed before the whole mail had left (TimeoutError).",
    )


def test_a_connection_that_cannot_even_be_prepared_has_carried_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise FileNotFoundError("certificates")

    monkeypatch.setattr("ssl.create_default_context", broken)
    with FakeSmtp() as fake:
        result = smtp(fake.port, security="tls").send(a_mail())
    assert result == SendResult(
        evidence=Evidence.REFUSED,
        detail="The connection to the mail server failed before the whole mail had left (FileNotFoundError).",
    )
