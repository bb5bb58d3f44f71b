"""What arrived: the mail of an export in the outbox, and the file that came with it or by its link."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from memberships_export.entrypoints.cli.ask.answers import Answer
from memberships_export.entrypoints.cli.exits import CommandError

_LINK = re.compile(r"https?://\S+/download/[A-Za-z0-9_-]+")

Download = Callable[[str, Path], None]
"""Saves what a link gives in a file."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where a mail and its file are; `by_link`: the file was not in the mail, and was downloaded."""

    mail: Path
    file: Path
    by_link: bool


def receive(outbox: Path, answer: Answer, download: Download) -> Arrival:
    """Find the export's mail, and save its file beside the outbox. Raises CommandError when there is none."""
    path, mail = _mail_of(outbox, str(answer["exportId"]))
    target = outbox.parent.parent / str(answer["file"]["name"])
    for attachment in mail.iter_attachments():
        content = attachment.get_payload(decode=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
            return Arrival(path, target, by_link=False)
    download(_link_in(mail), target)
    return Arrival(path, target, by_link=True)


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
