"""A mail as SendGrid's v3 Mail Send wants it."""

import json
from base64 import b64encode
from typing import Any

from memberships_export.domain.errors import InvalidAddress
from memberships_export.domain.mail.address import checked_address
from memberships_export.domain.mail.mail import NOT_AN_ADDRESS, Attachment, Mail
from memberships_export.domain.mail.plain_text import many_lines, one_line
from memberships_export.domain.mail.sender import Sender

BODY_LIMIT = 30_000_000  # "less than 30 MB", the whole request
_CUSTOM_ARGS_LIMIT = 10_000  # bytes
_Json = dict[str, Any]


class Unsendable(ValueError):
    """SendGrid would refuse this mail, or its events would not find back: the text says why, without the address."""


def request_body(mail: Mail, sender: Sender) -> bytes:
    """Write the request body, in ASCII. Raises Unsendable for what no retry would help."""
    payload: _Json = {
        "personalizations": [{"to": [{"email": _recipient(mail)}], "custom_args": _custom_args(mail)}],
        "from": {"email": sender.address, "name": sender.name},
        "subject": one_line(mail.subject),
        "headers": {
            "Auto-Submitted": "auto-generated",  # RFC 3834: no holiday notice answers it
            "Content-Language": one_line(mail.language),
        },
        "content": [  # SendGrid wants the plain text first
            {"type": "text/plain", "value": many_lines(mail.text)},
            {"type": "text/html", "value": many_lines(mail.html)},
        ],
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
        },
    }
    if sender.reply_to:
        payload["reply_to"] = {"email": sender.reply_to}
    if mail.attachment:
        payload["attachments"] = [_attachment(mail.attachment)]
    return json.dumps(payload).encode("ascii")


def _recipient(mail: Mail) -> str:
    try:
        return checked_address(mail.to)
    except InvalidAddress as error:
        raise Unsendable(NOT_AN_ADDRESS) from error


def _custom_args(mail: Mail) -> dict[str, str]:
    """Name the send in its events. SendGrid keeps these values for long: no address, no user id."""
    args = {"export_id": mail.export_id, "send_intent": mail.intent}
    if args != {name: one_line(value) for name, value in args.items()}:
        raise Unsendable("The export id holds characters that cannot travel with a mail.")
    if len(json.dumps(args)) >= _CUSTOM_ARGS_LIMIT:
        raise Unsendable(f"The export id is too long to travel with a mail ({len(mail.export_id)} characters).")
    return args


def _attachment(attachment: Attachment) -> _Json:
    return {
        "content": b64encode(attachment.content).decode("ascii"),
        "type": one_line(attachment.media_type),
        "filename": one_line(attachment.name),
        "disposition": "attachment",
    }
