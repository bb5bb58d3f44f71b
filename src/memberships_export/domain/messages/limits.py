"""What a message queue takes, as pure functions: the limits of SQS, kept everywhere so that no queue takes more."""

import re

from memberships_export.domain.messages.message import Message

MAX_BYTES = 1_048_576  # body and attributes together
MAX_ATTRIBUTES = 10
_ATTRIBUTE_NAME = re.compile(r"(?!aws\.|amazon\.)[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.IGNORECASE)
_LONGEST_NAME = 256
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def check_message(message: Message) -> None:
    """Raise ValueError for what SQS refuses, so that one machine accepts nothing that AWS would not."""
    _check_text("body", message.body)
    if not message.body:
        raise ValueError("The message body is empty: SQS needs at least one character.")
    if len(message.attributes) > MAX_ATTRIBUTES:
        text = f"The message has {len(message.attributes)} attributes; at most {MAX_ATTRIBUTES} are allowed."
        raise ValueError(text)
    for name, value in message.attributes.items():
        _check_name(name)
        _check_text(f"attribute {name}", value)
        if not value:
            raise ValueError(f"The message attribute {name} is empty: leave it out or give it a value.")
    _check_size(message)


def _check_name(name: str) -> None:
    if len(name) > _LONGEST_NAME or not _ATTRIBUTE_NAME.fullmatch(name):
        raise ValueError(
            f"The message attribute name {name[:_LONGEST_NAME]!r} is not made of up to {_LONGEST_NAME} letters, "
            "digits, _ - and single dots inside; SQS keeps AWS. and Amazon. for itself."
        )


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
