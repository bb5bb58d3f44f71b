"""Mails to look at, and a reader of their pages."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser
from typing import Any

from memberships_export.domain.export.record import Export, Failure, Send, Stage, StoredFile
from memberships_export.domain.mail.mail import Mail
from memberships_export.domain.mail.texts import ready_mail
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
    """Every tag with its attributes, and the text a reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def ready(**changes: Any) -> Mail:  # noqa: ANN401  (fields of Export)
    return ready_mail(an_export(**{"export_id": "exp-1", "file": FILE} | changes), SEND, b"id\r\n", None)


def linked() -> Mail:
    return ready_mail(an_export(export_id="exp-1", file=FILE), replace(SEND, as_link=True), None, LINK)


def failed(code: str = "mail_refused", stage: Stage = Stage.DELIVER, file: StoredFile | None = None) -> Export:
    failure = Failure(stage=stage, code=code, reason="HTTP 400: canary of the mail service", at=REQUESTED_AT)
    return an_export(export_id="exp-1", failure=failure, file=file)
