"""All mailers behind one face, so that the same tests hold them to the same promises."""

import email
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from memberships_export.adapters.mail.outbox import Outbox
from memberships_export.adapters.mail.sendgrid.client import SendGrid, SendGridSettings
from memberships_export.adapters.mail.smtp.client import Smtp, SmtpSettings
from memberships_export.domain.mail.mail import Attachment, Mail
from memberships_export.domain.mail.sender import Sender
from memberships_export.ports import Mailer
from rig.services.fake_sendgrid import FakeSendGrid
from rig.services.fake_smtp import FakeSmtp
from rig.waiting import PATIENCE_SECONDS

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KEY = "SG.canary-key.of_the-tests"
FROM = "exports@club.example"
SENDER = Sender(address=FROM)
TO = "canary.member@example.org"


def a_mail(**changes: object) -> Mail:
    """A mail with a small file."""
    fields = {
        "to": TO,
        "subject": "Your memberships export",
        "text": "Hello,\n\nthe file is attached. Grüße 🏊\n",
        "html": '<!doctype html>\n<html lang="en"><p>Hello &amp; Grüße 🏊</p></html>\n',
        "language": "en",
        "export_id": "exp-1",
        "intent": "exp-1:1",
        "attachment": Attachment("memberships-2026-03-01.csv", "text/csv", "\ufeffid,name\r\n1,Süd\r\n".encode()),
    }
    return Mail(**fields | changes)  # type: ignore[arg-type]


def sendgrid(url: str, *, sender: Sender = SENDER, **changes: Any) -> SendGrid:  # noqa: ANN401  (fields of SendGridSettings)
    """A SendGrid mailer that has much patience, where nothing else is asked for."""
    patience = dict.fromkeys(("connect_seconds", "read_seconds", "total_seconds"), PATIENCE_SECONDS) | changes
    settings = SendGridSettings(base_url=url, sender=sender, api_key=lambda: KEY, **patience)
    return SendGrid(settings, lambda: NOW)


def smtp(port: int, **changes: Any) -> Smtp:  # noqa: ANN401  (fields of SmtpSettings)
    """An SMTP mailer that has much patience, where nothing else is asked for."""
    patience = dict.fromkeys(("connect_seconds", "read_seconds", "total_seconds"), PATIENCE_SECONDS)
    fields: dict[str, Any] = (
        {"host": "127.0.0.1", "port": port, "security": "none", "sender": SENDER} | patience | changes
    )
    return Smtp(SmtpSettings(**fields), lambda: NOW)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A mail at its destination."""

    to: str
    sender: str
    subject: str
    text: str
    html: str
    intent: str
    export_id: str
    attachment: tuple[str, str, bytes] | None
    auto_submitted: str | None
    language: str | None
    sender_name: str
    reply_to: str | None


class Rig(Protocol):
    """A mailer and the place where its mails arrive."""

    @property
    def mailer(self) -> Mailer: ...

    def arrived(self) -> list[Arrived]: ...


@dataclass(frozen=True, slots=True)
class OutboxRig:
    """Mails arrive in a folder."""

    folder: Path
    mailer: Mailer

    def arrived(self) -> list[Arrived]:
        return [_from_eml(path.read_bytes()) for path in sorted(self.folder.iterdir())]


@dataclass(frozen=True, slots=True)
class SendGridRig:
    """Mails arrive at a fake SendGrid."""

    fake: FakeSendGrid
    mailer: Mailer

    def arrived(self) -> list[Arrived]:
        return [
            Arrived(
                to=mail.to,
                sender=mail.payload["from"]["email"],
                subject=mail.subject,
                text=mail.text,
                html=mail.html,
                intent=mail.intent,
                export_id=mail.export_id,
                attachment=(
                    (str(mail.attachment_name), mail.payload["attachments"][0]["type"], mail.attachment)
                    if mail.attachment is not None
                    else None
                ),
                auto_submitted=mail.payload["headers"]["Auto-Submitted"],
                language=mail.payload["headers"]["Content-Language"],
                sender_name=mail.payload["from"]["name"],
                reply_to=mail.payload.get("reply_to", {}).get("email"),
            )
            for mail in self.fake.accepted
        ]


@dataclass(frozen=True, slots=True)
class SmtpRig:
    """Mails arrive at a fake SMTP server."""

    fake: FakeSmtp
    mailer: Mailer

    def arrived(self) -> list[Arrived]:
        arrived = [_from_eml(mail.content) for mail in self.fake.accepted]
        assert [(mail.to, mail.sender) for mail in arrived] == [(mail.to, mail.sender) for mail in self.fake.accepted]
        return arrived


@contextmanager
def outbox_rig(folder: Path, sender: Sender = SENDER) -> Iterator[Rig]:
    """Open an outbox."""
    yield OutboxRig(folder, Outbox(folder, sender=sender, clock=lambda: NOW))


@contextmanager
def sendgrid_rig(_folder: Path, sender: Sender = SENDER) -> Iterator[Rig]:
    """Start a fake SendGrid."""
    with FakeSendGrid() as fake:
        yield SendGridRig(fake, sendgrid(fake.url, sender=sender))


@contextmanager
def smtp_rig(_folder: Path, sender: Sender = SENDER) -> Iterator[Rig]:
    """Start a fake SMTP server."""
    with FakeSmtp() as fake:
        yield SmtpRig(fake, smtp(fake.port, sender=sender))


class MakesRig(Protocol):
    """Opens a mailer whose mails come from this sender."""

    def __call__(self, folder: Path, /, sender: Sender = SENDER) -> AbstractContextManager[Rig]: ...


MAILERS: dict[str, MakesRig] = {
    "outbox": outbox_rig,
    "sendgrid": sendgrid_rig,
    "smtp": smtp_rig,
}


def read_eml(content: bytes) -> EmailMessage:
    """Parse a message the way a mail program does."""
    message = email.message_from_bytes(content, policy=SMTP)
    assert isinstance(message, EmailMessage)
    return message


def _name(content: bytes) -> str:
    """Read the sender's name. The newer parser of `email` leaves spaces between the encoded words of a long one."""
    header = make_header(decode_header(email.message_from_bytes(content)["From"]))
    return parseaddr(str(header))[0]


@cache  # a mailer that was given many mails is asked for all of them after each
def _from_eml(content: bytes) -> Arrived:
    message = read_eml(content)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    files = [
        (str(part.get_filename()), part.get_content_type(), bytes(part.get_payload(decode=True) or b""))
        for part in message.iter_attachments()
    ]
    return Arrived(
        to=str(message["To"]),
        sender=message["From"].addresses[0].addr_spec,
        subject=str(message["Subject"]),
        text=text.get_content().replace("\r\n", "\n"),
        html=html.get_content().replace("\r\n", "\n"),
        intent=str(message["X-Send-Intent"]),
        export_id=str(message["X-Export-Id"]),
        attachment=files[0] if files else None,
        auto_submitted=str(message["Auto-Submitted"]),
        language=str(message["Content-Language"]),
        sender_name=_name(content),
        reply_to=message["Reply-To"].addresses[0].addr_spec if message["Reply-To"] else None,
    )
