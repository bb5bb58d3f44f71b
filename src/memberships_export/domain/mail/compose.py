"""A mail from what is written in it, and from the record it belongs to."""

from dataclasses import dataclass

from memberships_export.domain.export.record import Export
from memberships_export.domain.formats.formats import file_format
from memberships_export.domain.mail.mail import Attachment, Mail


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A mail in words: `text` and `html` say the same, in this language."""

    language: str
    subject: str
    text: str
    html: str


def compose(export: Export, intent: str, written: Written, content: bytes | None = None) -> Mail:
    """Address what was written. `content`: of the file, when that is attached.

    Raises ValueError when there is content of a file that the export does not have.
    """
    return Mail(
        to=export.email,
        subject=written.subject,
        text=written.text,
        html=written.html,
        language=written.language,
        export_id=export.export_id,
        intent=intent,
        attachment=None if content is None else _attachment(export, content),
    )


def _attachment(export: Export, content: bytes) -> Attachment:
    if export.file is None:
        raise ValueError(f"Export {export.export_id} has no file to attach.")
    return Attachment(export.file.name, file_format(export.options.format).media_type, content)
