"""A mail as an RFC 5322 message, the same bytes whether it becomes a file or goes to an SMTP server."""

import re
from base64 import encodebytes
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256

from memberships_export.domain.mail.address import checked_address
from memberships_export.domain.mail.mail import Mail
from memberships_export.domain.mail.plain_text import many_lines, one_line
from memberships_export.domain.mail.sender import Sender

_POLICY = SMTP.clone(cte_type="7bit")  # every server takes it, 8BITMIME or not
# Capitals are left out: on some file systems A.eml and a.eml are the same file.
_PLAIN_INTENT = re.compile(r"([a-z0-9][a-z0-9_-]{0,99}):([0-9]{1,9}|failure)")


def eml(mail: Mail, sender: Sender, date: datetime) -> bytes:
    """Write the message: ASCII, lines of at most 998 bytes that end in CRLF. Raises InvalidAddress."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(sender.name, addr_spec=sender.address)
    if sender.reply_to:
        message["Reply-To"] = Address(addr_spec=sender.reply_to)
    message["To"] = Address(addr_spec=checked_address(mail.to))
    message["Subject"] = one_line(mail.subject)
    message["Date"] = date
    message["Message-ID"] = f"<{message_id(mail.intent, sender.address)}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notice answers it
    message["X-Export-Id"] = one_line(mail.export_id)
    message["X-Send-Intent"] = one_line(mail.intent)
    message.set_content(many_lines(mail.text))
    message.add_alternative(many_lines(mail.html), subtype="html")
    if mail.attachment:
        main, _, sub = mail.attachment.media_type.partition("/")
        message.add_attachment(b"", maintype=main, subtype=sub, filename=one_line(mail.attachment.name))
    message["Content-Language"] = one_line(mail.language)  # last: what makes parts takes headers of this kind along
    if not mail.attachment:
        return message.as_bytes()
    return _filled(message.as_bytes(), mail.attachment.content)


def message_id(intent: str, sender: str) -> str:
    """Return the Message-ID, without its angle brackets: of the same intent always the same."""
    return f"{plain_name(intent)}@{sender.rpartition('@')[2]}"


def plain_name(intent: str) -> str:
    """Name an intent in lower-case ASCII: two intents never share a name, whatever characters they hold."""
    plain = _PLAIN_INTENT.fullmatch(intent)
    if plain:
        return f"{plain[1]}.{plain[2]}"
    return sha256(intent.encode("utf-8", "surrogatepass")).hexdigest()


def _filled(message: bytes, content: bytes) -> bytes:
    """Put the content into the attachment, which is empty and last.

    The generator of `email` walks through every line of an attachment in Python, which took longer than all the rest.
    """
    before, end, after = message.rpartition(b"\r\n--")
    return b"".join([before, encodebytes(content).replace(b"\n", b"\r\n"), end, after])
