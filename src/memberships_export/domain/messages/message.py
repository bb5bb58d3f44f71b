"""A queue message as it travels, and as a queue hands it out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

IDENTITY = ("userId", "email", "exportId")  # the fields that say what a message is about


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it travels: text body and String attributes."""

    body: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message as a queue hands it out. `receipt` gives it back or acknowledges it."""

    message_id: str
    message: Message
    receipt: str
    receive_count: int = 1
