"""Each thing that SendGrid or the network can do, and exactly what it proves."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

from memberships_export.adapters.mail.sendgrid import client
from memberships_export.adapters.mail.sendgrid.client import SendGrid, SendGridSettings
from memberships_export.domain.export.record import Evidence
from memberships_export.domain.mail.mail import Attachment, Mail, SendResult
from memberships_export.domain.mail.sender import Sender
from rig.services.fake_memberships import closed_port
from rig.services.fake_sendgrid import FakeSendGrid
from rig.services.sendgrid_behaviour import (
    ACCEPT,
    ACCEPT_THEN_500,
    ACCEPT_THEN_HANG,
    ACCEPT_THEN_RESET,
    HANG,
    REDIRECT,
    RESET_BEFORE_BODY,
    Behaviour,
    End,
    cut_body_after,
    status,
    status_before_body,
)
from rig.waiting import until
from tests.contract.mailers import KEY, NOW, a_mail, sendgrid
from tests.fakes.impatience import limit_begins_with

_SMALL_BUFFER = 8 * 1024
_ERRORS = b'{"errors": [{"message": "Maximum credits exceeded", "field": null, "help": null}]}'


def _send(*script: Behaviour, **changes: Any) -> SendResult:  # noqa: ANN401  (fields of SendGridSettings)
    with FakeSendGrid(script) as fake:
        result = sendgrid(fake.url, **changes).send(a_mail())
        until(lambda: fake.requests, "the request that was given up", progress=lambda: fake.connections)
    assert fake.requests == 1, "one attempt, whatever came of it"
    return result


def _large_mail() -> Mail:
    """A mail that cannot disappear in the buffers between us and a server that does not read: 12 MB on the wire."""
    return a_mail(attachment=Attachment("m.csv", "text/csv", b"x" * 9_000_000))


def _refused(detail: str, **fields: object) -> SendResult:
    return SendResult(evidence=Evidence.REFUSED, detail=detail, **fields)  # type: ignore[arg-type]


def test_exactly_202_is_accepted() -> None:
    assert _send(ACCEPT) == SendResult(evidence=Evidence.ACCEPTED, message_id="fake-1")


@pytest.mark.parametrize("message_id", ["", "x" * 201, "a b", "\xe4", "member@example.org"])
def test_an_odd_message_id_is_not_kept(message_id: str) -> None:
    # The server names the mail in a header after this one: the first is the one that counts.
    assert _send(status(202, X_Message_Id=message_id)) == SendResult(evidence=Evidence.ACCEPTED)


@pytest.mark.parametrize("code", [200, 201, 203, 204, 301, 302, 307, 308, 500, 501, 502, 504, 507])
def test_an_answer_that_proves_nothing_is_doubtful(code: int) -> None:
    assert _send(status(code, _ERRORS if code != 204 else b"")).evidence is Evidence.DOUBTFUL


@pytest.mark.parametrize("code", [400, 402, 404, 405, 406, 409, 410, 415, 422, 451, 499])
def test_a_mail_that_would_be_refused_again_is_refused_for_good(code: int) -> None:
    assert _send(status(code)) == _refused(f"HTTP {code}", permanent=True)


@pytest.mark.parametrize("code", [401, 403, 408, 429, 503])
def test_a_refusal_that_will_pass_is_not_for_good(code: int) -> None:
    assert _send(status(code)) == _refused(f"HTTP {code}")


def test_a_mail_that_is_too_large_may_pass_as_a_link() -> None:
    assert _send(status(413)) == _refused("HTTP 413", too_large=True)


def test_the_reason_of_a_refusal_is_what_sendgrid_said() -> None:
    assert _send(status(401, _ERRORS)) == _refused("HTTP 401: Maximum credits exceeded")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad gateway</html>",
        b"[]",
        b'{"errors": 1}',
        b'{"errors": [1]}',
        b'{"errors": [{}]}',
        b'{"errors": null}',
        b"\xff\xfe",
        b"[" * 16_000,
        b'{"errors": [',
        b"1" * 10_000,
    ],
)
def test_an_answer_of_another_shape_leaves_the_status(body: bytes) -> None:
    assert _send(status(400, body)) == _refused("HTTP 400", permanent=True)


def test_a_long_reason_is_shortened() -> None:
    detail = _send(status(400, b'{"errors": [{"message": "' + b"word " * 2000 + b'"}]}')).detail
    assert detail is not None
    assert len(detail) == 300
    assert detail.endswith("…")


def test_a_mail_that_cannot_be_prepared_has_not_left(caplog: pytest.LogCaptureFixture) -> None:
    def no_key() -> str:
        raise RuntimeError(KEY)

    with FakeSendGrid() as fake:
        settings = SendGridSettings(base_url=fake.url, sender=Sender(address="exports@example.org"), api_key=no_key)
        result = SendGrid(settings).send(a_mail())

        assert fake.requests == 0
    assert result == _refused("The mail cannot be prepared (RuntimeError).")
    assert "error=RuntimeError at=" in caplog.text
    assert "event=internal_error" in caplog.text
    assert KEY not in caplog.text


def test_a_connection_that_cannot_even_be_prepared_has_carried_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise FileNotFoundError("certificates")

    monkeypatch.setattr("memberships_export.adapters.mail.sendgrid.client.trusting_context", broken)
    result = sendgrid("https://127.0.0.1:1").send(a_mail())
    assert result == _refused("The connection to SendGrid failed before the whole mail had left (FileNotFoundError).")


def test_a_huge_answer_is_not_read_to_its_end() -> None:
    assert _send(status(400, b" " * 50_000_000), total_seconds=60) == _refused("HTTP 400", permanent=True)


@pytest.mark.parametrize(
    "headers, seconds",
    [
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": format_datetime(datetime(2026, 3, 1, 12, 1, tzinfo=UTC), usegmt=True)}, 60.0),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "99999999"}, 86_400.0),
        ({"X_RateLimit_Reset": str(int(NOW.timestamp()) + 42)}, 42.0),
        ({"X_RateLimit_Reset": "12"}, 0.0),
        ({"X_RateLimit_Reset": "9" * 400}, 86_400.0),
        ({"X_RateLimit_Reset": "-5"}, None),
        ({"Retry_After": "3", "X_RateLimit_Reset": str(int(NOW.timestamp()) + 42)}, 3.0),
        ({}, None),
    ],
)
def test_how_long_to_stay_away_is_what_sendgrid_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert _send(status(429, b"", **headers)) == _refused("HTTP 429", retry_after=seconds)


def test_the_rate_limit_says_nothing_about_an_outage() -> None:
    reset = str(int(NOW.timestamp()) + 42)
    assert _send(status(503, X_RateLimit_Reset=reset)).retry_after is None
    assert _send(status(503, Retry_After="9", X_RateLimit_Reset=reset)).retry_after == 9.0


def test_a_redirect_is_not_followed() -> None:
    with FakeSendGrid() as other, FakeSendGrid([status(307, Location=other.url + "/v3/mail/send")]) as fake:
        assert sendgrid(fake.url).send(a_mail()).evidence is Evidence.DOUBTFUL
        assert other.requests == 0
    assert _send(REDIRECT).evidence is Evidence.DOUBTFUL


@pytest.mark.parametrize("behaviour", [ACCEPT_THEN_RESET, ACCEPT_THEN_HANG, HANG])
def test_no_answer_after_the_last_byte_is_silence(behaviour: Behaviour) -> None:
    result = _send(behaviour, read_seconds=0.5)
    assert result.evidence is Evidence.SILENT
    assert str(result.detail).startswith("SendGrid took the mail and did not answer (")


def test_an_error_although_the_mail_was_accepted_is_doubtful() -> None:
    assert _send(ACCEPT_THEN_500) == SendResult(evidence=Evidence.DOUBTFUL, detail="HTTP 500")


def test_a_port_that_refuses_connections_is_a_refusal_that_will_pass() -> None:
    with closed_port() as port:
        result = sendgrid(f"http://127.0.0.1:{port}").send(a_mail())
    assert result == _refused(
        "The connection to SendGrid failed before the whole mail had left (ConnectionRefusedError)."
    )


def test_a_failed_tls_handshake_is_a_refusal_that_will_pass() -> None:
    with FakeSendGrid() as fake:
        result = sendgrid(fake.url.replace("http://", "https://")).send(a_mail())
        assert fake.requests == 0
    assert result == _refused("The connection to SendGrid failed before the whole mail had left (SSLError).")


@pytest.mark.parametrize("count", [0, 1, 100, *range(500_000, 4_000_001, 500_000)])
def test_a_mail_that_was_cut_off_on_its_way_is_refused_and_never_silent(count: int) -> None:
    with FakeSendGrid([cut_body_after(count)], receive_buffer=_SMALL_BUFFER) as fake:
        result = sendgrid(fake.url).send(_large_mail())
        assert (fake.requests, fake.mails) == (1, [])
    assert (result.evidence, result.permanent) == (Evidence.REFUSED, False)
    assert "before the whole mail had left" in str(result.detail)


def test_a_reset_before_the_body_is_a_refusal() -> None:
    with FakeSendGrid([RESET_BEFORE_BODY], receive_buffer=_SMALL_BUFFER) as fake:
        assert sendgrid(fake.url).send(_large_mail()).evidence is Evidence.REFUSED


def test_a_server_that_stops_reading_is_a_refusal() -> None:
    with FakeSendGrid([Behaviour(takes=0, end=End.HANG)], receive_buffer=_SMALL_BUFFER) as fake:
        result = sendgrid(fake.url, read_seconds=0.5).send(_large_mail())
    assert result == _refused("The connection to SendGrid failed before the whole mail had left (TimeoutError).")


def test_an_answer_given_before_the_mail_had_left_is_read() -> None:
    with FakeSendGrid([status_before_body(413, _ERRORS)], receive_buffer=_SMALL_BUFFER) as fake:
        result = sendgrid(fake.url, read_seconds=0.5).send(_large_mail())
    assert result == _refused("HTTP 413: Maximum credits exceeded", too_large=True)


@pytest.mark.parametrize(
    "code, evidence",
    [(302, Evidence.REFUSED), (500, Evidence.REFUSED), (202, Evidence.DOUBTFUL), (200, Evidence.DOUBTFUL)],
)
def test_an_error_proves_that_half_a_mail_was_not_accepted_and_a_success_proves_nothing(
    code: int, evidence: Evidence
) -> None:
    with FakeSendGrid([status_before_body(code)], receive_buffer=_SMALL_BUFFER) as fake:
        result = sendgrid(fake.url, read_seconds=0.5).send(_large_mail())
    assert (result.evidence, result.permanent) == (evidence, False)


@pytest.mark.parametrize(
    "begins, goes_on, evidence",
    [
        (b"HTTP/1.1 202 Accepted\r\nX-Long: ", b"x", Evidence.ACCEPTED),  # the status is the answer
        (b"HTTP/1.1 500 Oops\r\nX-Long: ", b"x", Evidence.DOUBTFUL),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", Evidence.SILENT),
    ],
)
def test_an_answer_that_never_ends_is_cut_off(
    begins: bytes, goes_on: bytes, evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeSendGrid([Behaviour(drip=(begins, goes_on))]) as fake:
        limit_begins_with(fake.endless, client, monkeypatch)
        result = sendgrid(fake.url, total_seconds=0.1).send(a_mail())
    assert (result.evidence, fake.requests) == (evidence, 1)


@pytest.mark.parametrize(
    "says, evidence",
    [
        (b"HTTP/1.1 202 Accepted\r\n", Evidence.ACCEPTED),
        (b"HTTP/1.1 202 Accepted\r\nX-Message-Id: fake-1\r\nX-Lo", Evidence.ACCEPTED),
        (b"HTTP/1.1 500 Oops\r\nX-Lo", Evidence.DOUBTFUL),
        (b"HTTP/1.1 429 Slowly\r\nX-Lo", Evidence.REFUSED),
        (b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n5", Evidence.ACCEPTED),
        (b"HTTP/1.1 100 Continue\r\nX-Lo", Evidence.SILENT),
        (b"HTTP/1.1 100 Continue\r\n\r\n", Evidence.SILENT),
    ],
)
@pytest.mark.parametrize("end", [End.CLOSE, End.RESET])
def test_the_status_is_the_answer_also_when_the_rest_of_it_never_comes(
    says: bytes, evidence: Evidence, end: End
) -> None:
    assert _send(Behaviour(breaks_off=says, end=end)).evidence is evidence


def test_an_answer_that_is_not_http_is_doubtful() -> None:
    result = _send(Behaviour(drip=(b"220 mail.example ESMTP\r\n", b"x")))
    assert result == SendResult(evidence=Evidence.DOUBTFUL, detail="SendGrid's answer cannot be read (BadStatusLine).")


def test_a_mail_of_30_megabytes_is_not_even_sent() -> None:
    with FakeSendGrid() as fake:
        result = sendgrid(fake.url).send(a_mail(attachment=Attachment("m.csv", "text/csv", b"x" * 22_500_000)))
        assert fake.requests == 0
    assert (result.evidence, result.too_large, result.permanent) == (Evidence.REFUSED, True, False)


def test_the_request_says_what_it_is_and_ends_the_connection() -> None:
    with FakeSendGrid() as fake:
        sendgrid(fake.url).send(a_mail())
        [mail] = fake.mails
    assert mail.headers["Authorization"] == f"Bearer {KEY}"
    assert mail.headers["Content-Type"] == "application/json"
    assert mail.headers["Accept-Encoding"] == "identity"
    assert mail.headers["Connection"] == "close"
    assert mail.headers["Content-Length"] == str(len(mail.body))
    assert "Transfer-Encoding" not in mail.headers


def test_threads_can_share_a_mailer() -> None:
    with FakeSendGrid() as fake:
        mailer, intents = sendgrid(fake.url), [f"exp-1:{number}" for number in range(8)]
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda intent: mailer.send(a_mail(intent=intent)), intents))
        assert {result.evidence for result in results} == {Evidence.ACCEPTED}
        assert sorted(mail.intent for mail in fake.accepted) == intents


def test_a_path_before_the_api_is_kept() -> None:
    with FakeSendGrid() as fake:
        assert sendgrid(f"{fake.url}/proxy/").send(a_mail()) == _refused("HTTP 404", permanent=True)


def test_a_process_that_was_paused_before_the_first_byte_sends_nothing_although_it_is_connected() -> None:
    with FakeSendGrid() as fake:

        def paused() -> bool:
            seen = "the connection to stand before this is asked"
            until(lambda: fake.connections == 1, seen, progress=lambda: fake.connections)
            return False

        result = sendgrid(fake.url).send(a_mail(), paused)

    assert result == _refused("The worker was paused and did not send.")
    assert fake.requests == 0


@pytest.mark.parametrize("code", [401, 402, 403, 407, 511])
def test_a_refusal_that_only_a_person_can_mend_is_told_at_once(code: int, caplog: pytest.LogCaptureFixture) -> None:
    with FakeSendGrid([status(code)]) as fake:
        sendgrid(fake.url).send(a_mail())
    assert f"by=mail_service status={code} event=refused reason=The mail service refuses us: HTTP {code}" in caplog.text


@pytest.mark.parametrize("code", [400, 429, 500, 503])
def test_what_passes_and_what_is_about_one_mail_is_no_such_refusal(code: int, caplog: pytest.LogCaptureFixture) -> None:
    with FakeSendGrid([status(code)]) as fake:
        sendgrid(fake.url).send(a_mail())
    assert "event=refused" not in caplog.text
