"""The same over TLS, as in real life."""

import ssl

import pytest

from memberships_export.adapters.mail.sendgrid import client
from memberships_export.domain.export.record import Evidence
from memberships_export.domain.mail.mail import Attachment, SendResult
from rig.services.fake_sendgrid import FakeSendGrid
from rig.services.sendgrid_behaviour import ACCEPT_THEN_RESET, HANG, Behaviour, End, cut_body_after, status
from rig.waiting import PATIENCE_SECONDS
from tests.contract.mailers import a_mail, sendgrid
from tests.fakes.impatience import limit_begins_with


@pytest.mark.usefixtures("trusted")
def test_a_mail_arrives(tls: ssl.SSLContext) -> None:
    with FakeSendGrid(tls=tls) as fake:
        content = b"0123456789" * 500_000
        result = sendgrid(fake.url).send(a_mail(attachment=Attachment("m.csv", "text/csv", content)))
        assert result == SendResult(evidence=Evidence.ACCEPTED, message_id="fake-1")
        assert [mail.attachment for mail in fake.accepted] == [content]


def test_a_server_with_a_certificate_nobody_knows_gets_neither_key_nor_mail(
    tls: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeSendGrid(tls=tls) as fake:
        result = sendgrid(fake.url).send(a_mail())
        assert fake.requests == 0
    assert (result.evidence, result.permanent) == (Evidence.REFUSED, False)
    assert "SSLCertVerificationError" in str(result.detail)
    assert "by=mail_service status=none event=refused" in caplog.text


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("count", [0, 1_000_000, 3_000_000])
def test_a_mail_that_was_cut_off_on_its_way_is_refused(count: int, tls: ssl.SSLContext) -> None:
    mail = a_mail(attachment=Attachment("m.csv", "text/csv", b"x" * 9_000_000))
    with FakeSendGrid([cut_body_after(count)], tls=tls, receive_buffer=8 * 1024) as fake:
        assert sendgrid(fake.url).send(mail).evidence is Evidence.REFUSED


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    "behaviour, evidence",
    [
        (status(503), Evidence.REFUSED),
        (status(500), Evidence.DOUBTFUL),
        (ACCEPT_THEN_RESET, Evidence.SILENT),
        (HANG, Evidence.SILENT),
        (Behaviour(drip=(b"", b"HTTP/1.1 100 Continue\r\n\r\n")), Evidence.SILENT),
    ],
)
def test_each_answer_proves_the_same(
    behaviour: Behaviour, evidence: Evidence, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeSendGrid([behaviour], tls=tls) as fake:
        limit_begins_with(fake.endless, client, monkeypatch)
        endless = behaviour.drip or behaviour.end is End.HANG
        seconds = 0.2 if endless else PATIENCE_SECONDS
        assert sendgrid(fake.url, total_seconds=seconds).send(a_mail()).evidence is evidence
        assert fake.requests == 1
