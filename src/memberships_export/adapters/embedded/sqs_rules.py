"""What SQS does with messages and SQLite would not do by itself, as pure functions."""

import re
from datetime import datetime

from memberships_export.domain.message import Message, Received

MAX_BYTES = 1_048_576  # body and attributes together
MAX_ATTRIBUTES = 10
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def check_message(message: Message) -> None:
    """Raise ValueError for what SQS refuses, so that one machine accepts nothing that AWS would not."""
    _check_text("body", message.body)
    if not message.body:
        raise ValueError("The message body is empty: SQS needs at least one character.")
    if len(message.attributes) > MAX_ATTRIBUTES:
        text = f"The message has {len(message.attributes)} attributes; at most {MAX_ATTRIBUTES} are allowed."
        raise ValueError(text)
    for name, value in message.attributes.items():
        _check_text(f"attribute {name}", value)
        if not value:
            raise ValueError(f"The message attribute {name} is empty: leave it out or give it a value.")
    _check_size(message)


def received_too_often(received: Received, max_receives: int, now: datetime) -> Message:
    """Return the message for the dead letter queue. `received` counts the receives that led nowhere."""
    why = {
        "stage": "receive",
        "errorCode": "received_too_often",
        "reason": f"No worker acknowledged it in {max_receives} receives: they died, or could not save their work.",
        "attempts": str(received.receive_count),
        "failedAt": now.isoformat(),
    }
    return Message(received.message.body, {**received.message.attributes, **why})


def _check_text(where: str, text: str) -> None:
    if found := _FORBIDDEN.search(text):
        code = ord(found.group())
        allowed = "tab, line feed, carriage return, U+0020-U+D7FF, U+E000-U+FFFD and U+10000 up"
        raise ValueError(
            f"The message {where} holds U+{code:04X} at position {found.start()}; SQS takes only {allowed}."
        )


def _check_size(message: Message) -> None:
    texts = [message.body, *message.attributes, *message.attributes.values(), *("String" for _ in message.attributes)]
    size = sum(len(text.encode()) for text in texts)
    if size > MAX_BYTES:
        raise ValueError(f"The message has {size} bytes with its attributes; at most {MAX_BYTES} are allowed.")
