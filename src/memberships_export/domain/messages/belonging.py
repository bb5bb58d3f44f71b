"""To whom a message in a queue belongs, also one that no worker understands."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from memberships_export.domain.errors import InvalidMessage
from memberships_export.domain.messages.message import Message
from memberships_export.domain.messages.wake import parse_message


@dataclass(frozen=True, slots=True)
class Queued:
    """A message that lies in a queue."""

    message_id: str
    message: Message
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """Which messages are meant: those of some exports, and those of a user that were sent up to a time."""

    export_ids: Collection[str]
    user_id: str | None = None
    until: datetime | None = None

    def __call__(self, queued: Queued) -> bool:
        """Tell whether a message is one of them."""
        found = _named(queued.message)
        if found.get("exportId") in self.export_ids or _derived_id(queued) in self.export_ids:
            return True
        if self.user_id is None or self.until is None:
            return False
        return found.get("userId") == self.user_id and queued.sent_at <= self.until


def _derived_id(queued: Queued) -> str | None:
    """Return the id that a worker gives the export of a message without one."""
    try:
        return parse_message(queued.message, queued.message_id).export_id
    except InvalidMessage:
        return None


def _named(message: Message) -> Mapping[str, Any]:
    try:
        body = json.loads(message.body)
    except (ValueError, RecursionError):
        body = None
    return {**(body if isinstance(body, dict) else {}), **message.attributes}
