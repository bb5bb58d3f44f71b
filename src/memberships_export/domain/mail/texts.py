"""What the mails say: the one that brings the file, and the one that tells why there is none."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from memberships_export.domain.errors import (
    GaveUpWaiting,
    NoProgress,
)
from memberships_export.domain.export.reasons import reason_for_members
from memberships_export.domain.export.record import Export, Failure, Send, Stage, StoredFile
from memberships_export.domain.formats.formats import file_format
from memberships_export.domain.mail.intent import send_intent
from memberships_export.domain.mail.layout import Block, Facts, Link, Paragraph, as_html, as_text
from memberships_export.domain.mail.mail import Attachment, Mail
from memberships_export.domain.source.progress import completeness_text

READY_SUBJECT = "Your memberships export"
FAILURE_SUBJECT = "Your memberships export failed"

_GUARD_EXPLAINED = (
    "The file is made for spreadsheet programs: text that such a program could take for a formula (it begins with =, "
    "+, - or @, for example, or has one of these right after a comma, semicolon, bar or tab) has an apostrophe (') in "
    "front of it, and removing that apostrophe gives the original text."
)
_STEPS: Mapping[Stage, str] = {
    Stage.FETCH: "reading your memberships",
    Stage.RENDER: "writing the file",
    Stage.DELIVER: "sending the mail",
}
_PASSES_BY_ITSELF = frozenset({GaveUpWaiting.code, NoProgress.code})


def ready_mail(export: Export, send: Send, content: bytes | None, link: str | None) -> Mail:
    """Compose the mail with the file attached, or with a link to it when `content` is None.

    Raises ValueError when the export has no file, or when neither or both of content and link are given.
    """
    if export.file is None or (content is None) == (link is None):
        raise ValueError(f"Export {export.export_id}: a mail needs a file, and either its content or a link to it.")
    blocks = [*_greeting(export.file, link), *_file_notes(export, export.file), *_notes(export, send, link)]
    return Mail(
        to=export.email,
        subject=READY_SUBJECT,
        text=as_text(blocks),
        html=as_html(READY_SUBJECT, blocks),
        export_id=export.export_id,
        intent=send_intent(export, send),
        attachment=None if content is None else _attached(export, export.file, content),
    )


def _attached(export: Export, file: StoredFile, content: bytes) -> Attachment:
    return Attachment(file.name, file_format(export.options.format).media_type, content)


def failure_mail(export: Export) -> Mail:
    """Compose the mail that tells why there is no file, and what to do. Raises ValueError when nothing failed."""
    if export.failure is None:
        raise ValueError(f"Export {export.export_id} has not failed: there is nothing to tell.")
    blocks = list(_failure_blocks(export, export.failure))
    return Mail(
        to=export.email,
        subject=FAILURE_SUBJECT,
        text=as_text(blocks),
        html=as_html(FAILURE_SUBJECT, blocks),
        export_id=export.export_id,
        intent=f"{export.export_id}:failure",
    )


def _greeting(file: StoredFile, link: str | None) -> Iterator[Block]:
    yield Paragraph("Hello,")
    if link is None:
        yield Paragraph(f"your memberships export is ready. It is attached as {file.name}.")
        return
    yield Paragraph(f"your memberships export is ready. This link gives you the file until {_time(file.expires_at)}.")
    yield Link(f"Download {file.name}", link)
    yield Paragraph("Whoever has the link can download the file, so please do not pass this mail on.")


def _file_notes(export: Export, file: StoredFile) -> Iterator[Block]:
    yield Facts(
        [
            ("Requested", _time(export.requested_at)),
            ("Memberships", f"{file.rows:,}"),
            *_completeness(export),
            ("Size", f"{file.bytes:,} bytes"),
            ("SHA-256", file.sha256),
            ("Can be downloaded until", _time(file.expires_at)),
            ("Export number", export.export_id),
        ]
    )


def _completeness(export: Export) -> Iterator[tuple[str, str]]:
    """Under our own contract a file is counted, or there is none: only other APIs leave something to tell."""
    if export.profile and (text := completeness_text(export.progress)):
        yield "Completeness", text


def _notes(export: Export, send: Send, link: str | None) -> Iterator[Block]:
    if send.possible_duplicate:
        yield Paragraph(
            "This mail may be a second copy. We could not find out whether an earlier one reached you, so we sent it "
            "once more. If you have both and the SHA-256 is the same, so are the files: keep either."
        )
    if export.file and export.file.guarded:
        yield Paragraph(_GUARD_EXPLAINED)
    if link is None:
        yield Paragraph("Until the time above you can also download the file, or have it sent again, where you asked.")
    yield Paragraph("If you did not ask for this export, please tell your club, and give the export number.")


def _failure_blocks(export: Export, failure: Failure) -> Iterator[Block]:
    yield Paragraph("Hello,")
    yield Paragraph(f"we could not finish your memberships export. It stopped at this step: {_STEPS[failure.stage]}.")
    yield Paragraph(reason_for_members(failure.code))
    yield Paragraph(_what_to_do(export, failure))
    yield Facts(
        [
            ("Requested", _time(export.requested_at)),
            ("Stopped", _time(failure.at)),
            ("Export number", export.export_id),
            ("Error code", failure.code),
        ]
    )
    yield Paragraph("If you did not ask for this export, please tell your club, and give the export number.")


def _what_to_do(export: Export, failure: Failure) -> str:
    """Say the next useful step: take the finished file, wait and ask again, or ask for help."""
    if export.file is not None and not export.file.deleted:
        until = _time(export.file.expires_at)
        return (
            f"The file itself is finished and kept until {until}: you can download it, or have it sent again, where "
            "you asked for it."
        )
    if failure.code in _PASSES_BY_ITSELF:
        return (
            "Please ask for a new export a little later. If it fails again, tell your club, and give the export number "
            "below."
        )
    return (
        "Asking again would probably end the same way, so please tell your club, and give the export number and the "
        "error code below. Your memberships themselves are not affected."
    )


def _time(moment: datetime) -> str:
    """Write a time so that it means the same everywhere."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
