"""With which key, from whom and to where; and that neither key nor address shows up anywhere else."""

import logging

import pytest

from memberships_export.adapters.mail.sendgrid.client import SendGrid, SendGridSettings
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.export.record import Evidence
from memberships_export.domain.mail.mail import SendResult
from rig.services.fake_sendgrid import FakeSendGrid
from rig.services.sendgrid_behaviour import ACCEPT, ACCEPT_THEN_RESET, HANG, Behaviour, status
from tests.contract.mailers import KEY, SENDER, TO, a_mail, sendgrid


def test_each_mail_asks_for_the_key_so_that_it_can_be_replaced() -> None:
    keys = iter(["first", "second\n"])
    with FakeSendGrid() as fake:
        settings = SendGridSettings(base_url=fake.url, sender=SENDER, api_key=lambda: next(keys))
        mailer = SendGrid(settings)
        assert [mailer.send(a_mail()).evidence for _ in range(2)] == [Evidence.ACCEPTED] * 2
        assert [mail.headers["Authorization"] for mail in fake.mails] == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("key", ["", " ", "SG.a b", "SG.a\r\nX-Evil: 1", "SG.ä", "SG.\u202e"])
def test_a_key_that_cannot_be_one_is_a_refusal_that_does_not_quote_it(key: str) -> None:
    with FakeSendGrid() as fake:
        result = SendGrid(SendGridSettings(base_url=fake.url, sender=SENDER, api_key=lambda: key)).send(a_mail())
        assert fake.requests == 0
    assert (result.evidence, result.permanent) == (Evidence.REFUSED, False)
    assert "SG." not in str(result.detail)


def test_a_key_that_cannot_be_read_now_is_a_refusal_that_will_pass() -> None:
    def unreadable() -> str:
        raise StorageUnavailable("The secret store does not answer.")

    settings = SendGridSettings(base_url="https://api.sendgrid.com", sender=SENDER, api_key=unreadable)
    assert SendGrid(settings).send(a_mail()) == SendResult(
        evidence=Evidence.REFUSED, detail="The secret store does not answer."
    )


@pytest.mark.parametrize("url", ["http://api.sendgrid.com", "ftp://localhost", "https://", "https://169.254.169.254"])
def test_a_url_that_is_not_safe_to_send_a_key_to_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="MEMBERSHIPS_EXPORT_SENDGRID_URL"):
        sendgrid(url)


def test_the_settings_do_not_show_the_key() -> None:
    assert "api_key" not in repr(SendGridSettings(base_url="https://x.example", sender=SENDER, api_key=lambda: KEY))


def _quoting(code: int) -> Behaviour:
    message = f"{TO} and Bearer {KEY} and {TO.replace('@', '%40')} and <{TO}> and {TO.upper()} and SG.other-key"
    return status(code, b'{"errors": [{"message": "' + message.encode() + b'"}]}', Location=f"/{TO}?key={KEY}")


@pytest.mark.parametrize(
    "behaviour",
    [ACCEPT, *(_quoting(code) for code in (302, 400, 401, 413, 429, 500, 503)), ACCEPT_THEN_RESET, HANG],
)
def test_neither_key_nor_address_is_in_the_result_or_in_any_log(
    behaviour: Behaviour, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG), FakeSendGrid([behaviour]) as fake:
        result = sendgrid(fake.url, read_seconds=0.5).send(a_mail())
    captured = capfd.readouterr()
    everything = (repr(result) + caplog.text + captured.out + captured.err).lower()
    assert KEY.lower() not in everything
    assert "sg." not in everything
    assert "canary" not in everything


def test_a_key_of_any_form_is_taken_out_of_what_sendgrid_says() -> None:
    quoting = status(400, b'{"errors": [{"message": "the key <proxy-token-7> is unknown"}]}')
    with FakeSendGrid([quoting]) as fake:
        settings = SendGridSettings(base_url=fake.url, sender=SENDER, api_key=lambda: "proxy-token-7")
        assert SendGrid(settings).send(a_mail()).detail == "HTTP 400: the key <[key]> is unknown"
