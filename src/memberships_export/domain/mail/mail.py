"""A mail as the service means it; adapters turn it into a message or into a SendGrid request."""

from dataclasses import dataclass

from memberships_export.domain.export.record import Evidence


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in the mail itself; one that is too large is behind a link instead."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail to one address. `intent` names the send across systems (see delivery.send_intent)."""

    to: str
    subject: str
    text: str
    html: str
    language: str  # of text and html, such as de-CH
    export_id: str
    intent: str
    attachment: Attachment | None = None


NOT_WANTED = "The worker was paused and did not send."
NOT_AN_ADDRESS = "The recipient's address is not one plain email address."


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """What one send proved. `permanent` and `too_large` are told only of a refused one."""

    evidence: Evidence
    message_id: str | None = None
    detail: str | None = None  # what the mail service said, fit for the record: no address, no key
    permanent: bool = False  # the same mail would be refused again
    too_large: bool = False  # refused for its size: a link instead of the attachment may pass
    retry_after: float | None = None  # seconds
