"""The message that wakes a worker: what the API writes, and what a worker makes of what it finds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from memberships_export.domain.errors import InvalidAddress, InvalidMessage
from memberships_export.domain.export.record import Export
from memberships_export.domain.ids import LONGEST_ID, is_id
from memberships_export.domain.mail.address import canonical_address
from memberships_export.domain.messages.letters import DeadLetter
from memberships_export.domain.messages.message import IDENTITY, Message

VERSION = 1
_PLAIN_MESSAGE_IDS = UUID("5a1b4f0e-3f0f-4f9e-8f53-2f3f7f1f9a55")  # made once, at random


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """What a message asks for. `plain`: from a producer that knows no export ids; the record is still to be made.

    `said` is what a plain one says about the file: a JSON object as clients of the API send it.
    """

    export_id: str
    user_id: str
    email: str
    plain: bool
    said: Mapping[str, object] = field(default_factory=dict)

    def is_for(self, export: Export) -> bool:
        """Tell whether the message names the user of this export, and an address it has or had: it may be forged.

        The message never decides where the mail goes: the record's address is the one that counts.
        """
        addresses = {address.lower() for address in (export.email, *export.earlier_emails)}  # of old records any case
        return export.user_id == self.user_id and self.email.lower() in addresses


def wake_message(export: Export) -> Message:
    """Return a message of the current version: user, address and export in its body and its attributes."""
    identity = {"userId": export.user_id, "email": export.email, "exportId": export.export_id}
    body = {"version": VERSION, **identity, "requestedAt": export.requested_at.isoformat()}
    return Message(body=json.dumps(body), attributes=identity)


def parse_message(message: Message, message_id: str) -> Wake:
    """Read a message, ours or a plain one. Raises InvalidMessage with a reason fit for the dead letter queue."""
    body = _body(message)
    _check_version(body)
    found = {name: _field(name, body, message.attributes) for name in IDENTITY}
    user_id, email, export_id = found["userId"], found["email"], found["exportId"]
    missing = [name for name in ("userId", "email") if not found[name]]
    if not user_id or not email:
        raise InvalidMessage(f"The message has no {' and no '.join(missing)}.")
    try:
        email = canonical_address(email)
    except InvalidAddress as error:
        raise InvalidMessage(error.reason) from error
    derived = str(uuid5(_PLAIN_MESSAGE_IDS, message_id))
    if export_id:  # its record knows the options
        return Wake(export_id=export_id, user_id=user_id, email=email, plain=False)
    return Wake(export_id=derived, user_id=user_id, email=email, plain=True, said=_said(body))


def export_id_of(letter: DeadLetter) -> str | None:
    """Return the export a letter belongs to, None when it cannot be read."""
    try:
        return parse_message(letter.message, letter.message_id).export_id
    except InvalidMessage:
        return None


def _body(message: Message) -> Mapping[str, Any]:
    """Return the JSON object in the body. A plain message may say everything in its attributes."""
    try:
        body = json.loads(message.body)
    except (ValueError, RecursionError) as error:
        if _says_enough(message.attributes):
            return {}
        reason = "The message body is not JSON."
        raise InvalidMessage(reason) from error
    if isinstance(body, dict):
        return body
    if _says_enough(message.attributes):
        return {}
    reason = "The message body is not a JSON object."
    raise InvalidMessage(reason)


def _says_enough(attributes: Mapping[str, str]) -> bool:
    """Recognise a plain producer's attributes. Ours carry the export id, and their body must be whole."""
    return bool(attributes.get("userId") and attributes.get("email") and not attributes.get("exportId"))


def _said(body: Mapping[str, Any]) -> Mapping[str, object]:
    said = body.get("options")
    if said is None:
        return {}
    if not isinstance(said, dict):
        reason = "The message's options are not a JSON object: leave them out for the usual file."
        raise InvalidMessage(reason)
    return said


def _check_version(body: Mapping[str, Any]) -> None:
    version = body.get("version", VERSION)
    if version != VERSION or isinstance(version, bool):
        reason = f"The message has version {str(version)[:20]!r}; this service understands version {VERSION}."
        raise InvalidMessage(reason)


def _field(name: str, body: Mapping[str, Any], attributes: Mapping[str, str]) -> str | None:
    """Find a field in body or attributes; where both have it, they must agree."""
    in_body, in_attributes = body.get(name), attributes.get(name)
    if in_body is not None and not isinstance(in_body, str):
        raise InvalidMessage(f"The message's {name} is not text.")
    if in_body and in_attributes and in_body != in_attributes:
        raise InvalidMessage(f"The message's {name} differs between body and attributes.")
    found = in_body or in_attributes or None
    if found and name != "email" and not is_id(found):
        raise InvalidMessage(f"The message's {name} is longer than {LONGEST_ID} characters, or cannot be printed.")
    return found
