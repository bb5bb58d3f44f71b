"""What arrived: the mail of an export in the outbox, the CSV that came with it, and whether it is the right one."""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from hashlib import file_digest
from itertools import islice
from pathlib import Path
from typing import TextIO

from memberships_export.entrypoints.cli.ask.answers import Answer
from memberships_export.entrypoints.cli.exits import CommandError

_LINK = re.compile(r"https?://\S+/download/[A-Za-z0-9_-]+")

Download = Callable[[str, Path], None]
"""Saves what a link gives in a file."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where a mail and its CSV are; `by_link`: the CSV was not in the mail, and was downloaded."""

    mail: Path
    csv: Path
    by_link: bool


@dataclass(frozen=True, slots=True)
class Content:
    """What a CSV file holds. `head` is its header and first rows."""

    rows: int
    sha256: str
    head: list[list[str]]


def receive(outbox: Path, answer: Answer, download: Download) -> Arrival:
    """Find the export's mail, and save its CSV beside the outbox. Raises CommandError when there is none."""
    path, mail = _mail_of(outbox, str(answer["exportId"]))
    target = outbox.parent.parent / str(answer["file"]["name"])
    for attachment in mail.iter_attachments():
        content = attachment.get_payload(decode=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
            return Arrival(path, target, by_link=False)
    download(_link_in(mail), target)
    return Arrival(path, target, by_link=True)


def read_csv(path: Path, head_rows: int = 5) -> Content:
    """Read a CSV file to its end, as a program of somebody else would."""
    with path.open("rb") as file:
        sha256 = file_digest(file, "sha256").hexdigest()
    with path.open(encoding="utf-8-sig", newline="") as text:
        return _content(text, sha256, head_rows)


def check(content: Content, answer: Answer, rows: int) -> None:
    """Compare file, status and what was put in. Raises CommandError naming the first difference."""
    expected = answer["file"]
    if content.sha256 != expected["sha256"]:
        raise CommandError(f"The mailed file has SHA-256 {content.sha256}, but the status says {expected['sha256']}.")
    if not content.rows == expected["rows"] == rows:
        raise CommandError(f"The mailed file has {content.rows} rows, the status {expected['rows']}, expected {rows}.")


def _mail_of(outbox: Path, export_id: str) -> tuple[Path, EmailMessage]:
    for path in sorted(outbox.glob("*.eml")):
        with path.open("rb") as file:
            mail = BytesParser(policy=policy.default).parse(file)
        if mail["X-Export-Id"] == export_id:
            return path, mail
    raise CommandError(f"There is no mail of export {export_id} in {outbox}.")


def _link_in(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    found = _LINK.search(body.get_content()) if body else None
    if found is None:
        raise CommandError("The mail holds neither an attachment nor a link to the file.")
    return found[0]


def _content(text: TextIO, sha256: str, head_rows: int) -> Content:
    reader = csv.reader(text, strict=True)
    head = list(islice(reader, head_rows + 1))
    return Content(rows=max(len(head) - 1, 0) + sum(1 for _ in reader), sha256=sha256, head=head)
