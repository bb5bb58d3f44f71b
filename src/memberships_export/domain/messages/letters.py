"""Dead letters: what they say about why they are there."""

from dataclasses import dataclass
from datetime import datetime

from memberships_export.domain.errors import InvalidMessage
from memberships_export.domain.export.record import Export, Failure
from memberships_export.domain.messages.message import IDENTITY, Message, Received

FAILURE_ATTRIBUTES = ("stage", "errorCode", "reason", "attempts", "failedAt")
MESSAGE_ID = "messageId"  # of the message that a letter was made of: the log names that one
_BODY_LIMIT = 1_000_000  # bytes; 1 MiB less room for the attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message in the dead letter queue; its attributes tell why it is there. `receipt` removes it."""

    message_id: str
    message: Message
    receipt: str
    sent_at: datetime


def failure_attributes(export: Export) -> dict[str, str]:
    """Why a failed export is in the dead letter queue: no row data, nothing personal."""
    if export.failure is None:
        return {}
    return {
        "stage": export.failure.stage.value,
        "errorCode": export.failure.code,
        "reason": printable(export.failure.reason),
        "attempts": str(export.claims),
        "failedAt": export.failure.at.isoformat(),
    }


def is_letter_about(message: Message, failure: Failure) -> bool:
    """Tell whether a message is the dead letter of this very failure, moved back to the queue as it is."""
    return message.attributes.get("failedAt") == failure.at.isoformat()


def invalid_letter(error: InvalidMessage, received: Received, now: datetime) -> Message:
    """Write the dead letter of a message that nobody can act on.

    A queue takes ten attributes and 1 MiB at most: of a stranger's attributes only those we know are kept, and a body
    that leaves no room for the reason is cut.
    """
    known = {name: value for name, value in received.message.attributes.items() if name in IDENTITY}
    body = received.message.body.encode()[:_BODY_LIMIT].decode(errors="ignore")
    return Message(body, known | _why_invalid(error, received, now) | {MESSAGE_ID: received.message_id})


def _why_invalid(error: InvalidMessage, received: Received, now: datetime) -> dict[str, str]:
    return {
        "stage": "receive",
        "errorCode": error.code,
        "reason": printable(error.reason),
        "attempts": str(received.receive_count),
        "failedAt": now.isoformat(),
    }


def printable(text: str) -> str:
    """Keep what a message attribute may hold: one line of ASCII, at most 500 characters."""
    return text.encode("ascii", "backslashreplace").decode().replace("\r", " ").replace("\n", " ")[:500] or "-"
