"""The headers of a mail: one line each, and what does not fit plainly into one is left to `email`."""

import re
from email.headerregistry import Address
from email.message import MIMEPart
from email.policy import SMTP
from functools import lru_cache

from memberships_export.domain.mail.sender import Sender

_POLICY = SMTP.clone(cte_type="7bit")  # every server takes it, 8BITMIME or not
_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9._-]+")
_ENCODED = "=?"  # RFC 2047: mail programs read what follows as text in another encoding
_LONGEST_LINE = 78  # RFC 5322 2.1.1: what a line should have at most
_KEPT = 64  # there is one sender, and a subject for each event and language


def header(name: str, value: str) -> bytes:
    """Write a header of text in one line: as it is, or folded and encoded where it needs that."""
    if _PLAIN.fullmatch(value) and _ENCODED not in value and len(name) + 2 + len(value) <= _LONGEST_LINE:
        return f"{name}: {value}\r\n".encode("ascii")
    return _POLICY.fold_binary(*_POLICY.header_store_parse(name, value))


@lru_cache(_KEPT)
def subject(text: str) -> bytes:
    """Write the Subject."""
    return header("Subject", text)


@lru_cache(_KEPT)
def sent_by(sender: Sender) -> bytes:
    """Write From and Reply-To."""
    named = Address(sender.name, addr_spec=sender.address)
    written = _POLICY.fold_binary(*_POLICY.header_store_parse("From", named))
    return written + f"Reply-To: {sender.reply_to}\r\n".encode("ascii") if sender.reply_to else written


def attached_as(name: str) -> bytes:
    """Write the Content-Disposition of an attachment."""
    if _PLAIN_NAME.fullmatch(name) and len(name) + len('Content-Disposition: attachment; filename=""') <= _LONGEST_LINE:
        return f'Content-Disposition: attachment; filename="{name}"\r\n'.encode("ascii")
    part = MIMEPart(_POLICY)
    part.add_header("Content-Disposition", "attachment", filename=name)
    return part.as_bytes().removesuffix(b"\r\n")
