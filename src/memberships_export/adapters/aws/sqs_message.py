"""Messages as SQS carries them."""

import re
from hashlib import sha256
from typing import TYPE_CHECKING

from memberships_export.domain.messages.message import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_sqs.type_defs import MessageAttributeValueTypeDef, MessageTypeDef

_GROUP = re.compile(r"[!-~]{1,128}")  # letters, digits and the ASCII punctuation: what a MessageGroupId may hold


def sqs_attributes(message: Message) -> "Mapping[str, MessageAttributeValueTypeDef]":
    """Return the attributes as SQS takes them, all of type String."""
    return {name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()}


def message_group(user_id: str) -> str:
    """Return the fair queue's group of a user: one who asks for a lot does not make the others wait."""
    return user_id if _GROUP.fullmatch(user_id) else sha256(user_id.encode()).hexdigest()


def message_from(answer: "MessageTypeDef") -> Message:
    """Read a message from SQS. Binary attributes, which only a stranger could have put there, are left out."""
    attributes = answer.get("MessageAttributes", {})
    texts = {name: value["StringValue"] for name, value in attributes.items() if "StringValue" in value}
    return Message(answer.get("Body", ""), texts)


def queue_name(queue_url: str) -> str:
    """Return the last part of the queue's URL."""
    return queue_url.rstrip("/").rsplit("/", maxsplit=1)[-1]
