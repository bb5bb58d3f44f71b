"""As whom mails are sent; and that neither password nor address shows up anywhere else."""

import logging
from base64 import b64encode

import pytest

from memberships_export.adapters.mail.smtp.client import SmtpSettings
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.export.record import Evidence
from memberships_export.domain.mail.mail import SendResult
from memberships_export.domain.mail.sender import Sender
from rig.services.fake_smtp import FakeSmtp, Offer
from rig.services.smtp_behaviour import ACCEPT, ACCEPT_THEN_RESET, Behaviour, End, Step, answers, ends
from tests.contract.mailers import TO, a_mail, smtp

USER, PASSWORD = "club-export", "canary pässword ✓"


def log_in(fake: FakeSmtp, password: str = PASSWORD) -> SendResult:
    return smtp(fake.port, user=USER, password=lambda: password).send(a_mail())


@pytest.mark.parametrize("mechanisms", ["PLAIN", "LOGIN", "PLAIN LOGIN", "XOAUTH2 login", "CRAM-MD5 plain"])
def test_it_logs_in_the_way_the_server_offers(mechanisms: str) -> None:
    with FakeSmtp(offer=Offer(login=(USER, PASSWORD), mechanisms=mechanisms)) as fake:
        assert log_in(fake).evidence is Evidence.ACCEPTED


def test_without_a_user_it_does_not_log_in() -> None:
    with FakeSmtp() as fake:
        smtp(fake.port).send(a_mail())
    assert not [command for command in fake.commands if command.startswith("AUTH")]


def test_each_mail_asks_for_the_password_so_that_it_can_be_replaced() -> None:
    passwords = iter(["wrong", PASSWORD])
    with FakeSmtp(offer=Offer(login=(USER, PASSWORD))) as fake:
        mailer = smtp(fake.port, user=USER, password=lambda: next(passwords))
        assert [mailer.send(a_mail()).evidence for _ in range(2)] == [Evidence.REFUSED, Evidence.ACCEPTED]


def test_the_line_end_of_the_file_that_a_password_came_from_is_no_part_of_it() -> None:
    with FakeSmtp(offer=Offer(login=(USER, PASSWORD))) as fake:
        assert log_in(fake, PASSWORD + "\r\n").evidence is Evidence.ACCEPTED


def test_a_password_that_cannot_be_read_now_is_a_refusal_that_will_pass() -> None:
    def unreadable() -> str:
        raise StorageUnavailable("The secret store does not answer.")

    with FakeSmtp() as fake:
        result = smtp(fake.port, user=USER, password=unreadable).send(a_mail())
        assert fake.connections == 0
    assert result == SendResult(evidence=Evidence.REFUSED, detail="The secret store does not answer.")


def test_a_mail_that_cannot_be_prepared_has_not_left(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> str:
        raise RuntimeError(PASSWORD)

    with FakeSmtp() as fake:
        result = smtp(fake.port, user=USER, password=broken).send(a_mail())
        assert fake.connections == 0
    assert result == SendResult(evidence=Evidence.REFUSED, detail="The mail cannot be prepared (RuntimeError).")
    assert "event=internal_error" in caplog.text
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize(
    "step, answer",
    [
        (Step.CONNECT, "554 5.7.1 your address is blocked"),
        (Step.EHLO, "550 5.7.1 who are you"),
        (Step.AUTH, "535 5.7.8 wrong password"),
        (Step.AUTH, "534 5.7.9 use another mechanism"),
        (Step.AUTH, "504 5.5.4 unknown mechanism"),
        (Step.MAIL, "530 5.7.0 log in first"),
        (Step.RCPT, "530 5.7.0 log in first"),
        (Step.DATA, "530 5.7.0 log in first"),
        (Step.DOT, "530 5.7.0 log in first"),
    ],
)
def test_a_refusal_that_only_a_person_can_mend_is_told_at_once_and_waited_for(
    step: Step, answer: str, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeSmtp([answers(step, answer)], offer=Offer(login=(USER, PASSWORD))) as fake:
        result = log_in(fake)
    code, _, words = answer.partition(" ")
    assert (result.evidence, result.permanent, result.too_large) == (Evidence.REFUSED, False, False)
    assert f"by=mail_service status={code} event=refused reason=The mail service refuses us: SMTP {code}" in caplog.text
    assert words in caplog.text


@pytest.mark.parametrize(
    "offer",
    [Offer(), Offer(login=(USER, PASSWORD), mechanisms="XOAUTH2"), Offer(login=(USER, PASSWORD), mechanisms="")],
)
def test_a_server_that_offers_no_way_to_log_in_is_told_at_once(offer: Offer, caplog: pytest.LogCaptureFixture) -> None:
    with FakeSmtp(offer=offer) as fake:
        result = log_in(fake)
    assert result == SendResult(
        evidence=Evidence.REFUSED, detail="The server offers neither AUTH PLAIN nor AUTH LOGIN."
    )
    assert "by=mail_service status=none event=refused" in caplog.text


@pytest.mark.parametrize(
    "behaviour",
    [
        answers(Step.AUTH, "454 4.7.0 not now"),
        answers(Step.AUTH, "421 4.3.0 closing"),
        answers(Step.CONNECT, "421 4.3.0 busy"),
        answers(Step.RCPT, "550 5.1.1 no such user"),
        answers(Step.DOT, "554 5.7.1 spam"),
        answers(Step.DOT, "452 4.3.1 no space"),
        ends(Step.AUTH, End.CLOSE),
        ends(Step.AUTH, End.RESET),
    ],
)
def test_what_passes_and_what_is_about_one_mail_is_no_such_refusal(
    behaviour: Behaviour, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeSmtp([behaviour], offer=Offer(login=(USER, PASSWORD))) as fake:
        assert log_in(fake).evidence is Evidence.REFUSED
    assert "event=refused" not in caplog.text


def test_the_settings_do_not_show_the_password() -> None:
    settings = SmtpSettings(
        host="h", port=25, security="tls", sender=Sender(address=TO), user=USER, password=lambda: PASSWORD
    )
    assert "password" not in repr(settings)


def quoting(step: Step, code: int) -> Behaviour:
    """An answer that gives back all that it was told, and more."""
    secret = b64encode(PASSWORD.encode()).decode()
    token = b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
    return Behaviour(at=step, says=f"{code} {TO} <{TO.upper()}> {PASSWORD} {secret} {token} SG.other-key\r\n".encode())


@pytest.mark.parametrize("mechanisms", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize(
    "behaviour",
    [
        ACCEPT,
        *(quoting(step, code) for step in (Step.AUTH, Step.RCPT, Step.DOT) for code in (354, 451, 530, 535, 550, 552)),
        ACCEPT_THEN_RESET,
    ],
)
def test_neither_password_nor_address_is_in_the_result_or_in_any_log(
    behaviour: Behaviour, mechanisms: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        FakeSmtp([behaviour], offer=Offer(login=(USER, PASSWORD), mechanisms=mechanisms)) as fake,
    ):
        result = log_in(fake)
    captured = capfd.readouterr()
    everything = (repr(result) + caplog.text + captured.out + captured.err).lower()
    assert "canary" not in everything
    assert b64encode(PASSWORD.encode()).decode().lower() not in everything
    assert "sg." not in everything
