"""A mail as an RFC 5322 message, the same bytes whether it becomes a file or goes to an SMTP server.

It is written by a template: the generator of `email` took half of the time of a small export.
"""

import re
from binascii import b2a_base64, b2a_qp
from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256

from memberships_export.adapters.mail.eml_headers import attached_as, header, sent_by, subject
from memberships_export.domain.mail.address import checked_address
from memberships_export.domain.mail.mail import Attachment, Mail
from memberships_export.domain.mail.plain_text import many_lines, one_line
from memberships_export.domain.mail.sender import Sender

# Capitals are left out: on some file systems A.eml and a.eml are the same file.
_PLAIN_INTENT = re.compile(r"([a-z0-9][a-z0-9_-]{0,99}):([0-9]{1,9}|failure)")
_BASE64_LINE = 76  # characters (RFC 2045 6.8)
# No content can hold the line between two parts: `=_` is in no quoted-printable text and in no base64 (RFC 2045 6.7).
_TEXTS = b"""\
Content-Type: multipart/alternative; boundary="=_texts"

--=_texts
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

%b
--=_texts
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

%b
--=_texts--
""".replace(b"\n", b"\r\n")
_WITH_ATTACHMENT = b"""\
Content-Type: multipart/mixed; boundary="=_parts"

--=_parts
%b
--=_parts
%b
--=_parts--
""".replace(b"\n", b"\r\n")
_ATTACHMENT = b"%b%bContent-Transfer-Encoding: base64\r\n\r\n%b"


def eml(mail: Mail, sender: Sender, date: datetime) -> bytes:
    """Write the message: ASCII, lines of at most 998 bytes that end in CRLF. Raises InvalidAddress."""
    to = checked_address(mail.to)
    texts = _TEXTS % (_quoted(mail.text), _quoted(mail.html))
    headers = [
        sent_by(sender),
        b"To: %b\r\n" % to.encode("ascii"),  # longer than 78 it may be, and there is no place to fold it
        subject(one_line(mail.subject)),
        b"Date: %b\r\n" % format_datetime(date).encode("ascii"),
        b"Message-ID: <%b>\r\n" % message_id(mail.intent, sender.address).encode("ascii"),
        b"Auto-Submitted: auto-generated\r\n",  # RFC 3834: no holiday notice answers it
        header("X-Export-Id", one_line(mail.export_id)),
        header("X-Send-Intent", one_line(mail.intent)),
        header("Content-Language", one_line(mail.language)),
        b"MIME-Version: 1.0\r\n",
    ]
    body = _WITH_ATTACHMENT % (texts, _attachment(mail.attachment)) if mail.attachment else texts
    return b"".join([*headers, body])


def message_id(intent: str, sender: str) -> str:
    """Return the Message-ID, without its angle brackets: of the same intent always the same."""
    return f"{plain_name(intent)}@{sender.rpartition('@')[2]}"


def plain_name(intent: str) -> str:
    """Name an intent in lower-case ASCII: two intents never share a name, whatever characters they hold."""
    plain = _PLAIN_INTENT.fullmatch(intent)
    if plain:
        return f"{plain[1]}.{plain[2]}"
    return sha256(intent.encode("utf-8", "surrogatepass")).hexdigest()


def _quoted(text: str) -> bytes:
    """Write a text as quoted-printable. It ends with its last line."""
    lines = many_lines(text).encode()
    return b2a_qp(lines if lines.endswith(b"\n") else lines + b"\n").replace(b"\n", b"\r\n")


def _attachment(attachment: Attachment) -> bytes:
    content = b2a_base64(attachment.content, newline=False)
    lines = [content[begin : begin + _BASE64_LINE] + b"\r\n" for begin in range(0, len(content), _BASE64_LINE)]
    kind = header("Content-Type", one_line(attachment.media_type))
    return _ATTACHMENT % (kind, attached_as(one_line(attachment.name)), b"".join(lines))
