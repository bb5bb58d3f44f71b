"""What the API needs to know of the mail service's webhook, without knowing the mail service."""

from collections.abc import Sequence
from typing import Protocol

from memberships_export.domain.errors import ExportError
from memberships_export.service.mail_events.record_mail_events import MailEvent


class ForgedEvents(ExportError):
    """The signature of these mail events is missing or wrong."""

    code = "forged_events"


class MalformedEvents(ExportError):
    """The body is signed, but it is not a list of mail events."""

    code = "malformed_events"


class MailWebhook(Protocol):
    """Reads signed event batches."""

    def read(self, signature: str, timestamp: str, body: bytes) -> Sequence[MailEvent]:
        """Check the signature over the raw body, then read the events. Raises ForgedEvents, MalformedEvents."""
        ...
