"""Mails to look at, and a reader of their pages."""

from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser
from typing import Any

from memberships_export.adapters.texts.mail_writer import TemplateMailWriter
from memberships_export.domain.export.record import Export, Failure, Send, Stage, StoredFile
from memberships_export.domain.mail import facts
from memberships_export.domain.mail.brand import Brand
from memberships_export.domain.mail.compose import compose
from memberships_export.domain.mail.intent import failure_intent, send_intent
from memberships_export.domain.mail.mail import Mail
from tests.factories import REQUESTED_AT, an_export

FILE = StoredFile(
    key="csv/exp/1.csv",
    name="memberships-2026-03-01.csv",
    rows=1234,
    bytes=456_789,
    sha256="ab" * 32,
    expires_at=datetime(2026, 3, 8, 13, 30, tzinfo=timezone(timedelta(hours=1))),
)

SEND = Send(number=2, mailing=1, started_at=REQUESTED_AT)

LINK = "https://club.example/memberships/exports/exp-1/download/T0ken_-x"


class MailPage(HTMLParser):
    """Every tag with its attributes, and the text a reader sees, or hears of a logo."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._hidden = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "img":
            self.words.append(str(dict(attrs)["alt"]))
        if tag in {"style", "title"} or "display: none" in str(dict(attrs).get("style")):
            self._hidden = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"style", "title", "div"}:
            self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


WRITER = TemplateMailWriter(Brand(), strict=True)


def ready_mail(export: Export, *, link: str | None = None, duplicate: bool = False) -> Mail:
    """The mail with the file, attached when there is no link, as the service composes it."""
    written = WRITER.write(facts.ready(export, link=link, possible_duplicate=duplicate))
    return compose(export, send_intent(export, SEND), written, None if link else b"id\r\n")


def ready(**changes: Any) -> Mail:  # noqa: ANN401  (fields of Export)
    return ready_mail(an_export(**{"export_id": "exp-1", "file": FILE} | changes))


def linked(**changes: Any) -> Mail:  # noqa: ANN401  (fields of Export)
    return ready_mail(an_export(**{"export_id": "exp-1", "file": FILE} | changes), link=LINK)


def failed(code: str = "mail_refused", stage: Stage = Stage.DELIVER, file: StoredFile | None = None) -> Export:
    failure = Failure(stage=stage, code=code, reason="HTTP 400: canary of the mail service", at=REQUESTED_AT)
    return an_export(export_id="exp-1", failure=failure, file=file)


def failure_mail(export: Export | None = None) -> Mail:
    """The mail about a failure, as the service composes it."""
    told = export or failed()
    return compose(told, failure_intent(told), WRITER.write(facts.failed(told)))
