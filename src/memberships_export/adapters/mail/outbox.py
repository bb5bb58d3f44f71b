"""Mails as files: every mail becomes one .eml in a folder, to be opened with any mail program."""

import re
from base64 import encodebytes
from collections.abc import Callable
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from pathlib import Path

from memberships_export.adapters.embedded.folder import Folder
from memberships_export.adapters.mail.not_prepared import not_prepared
from memberships_export.domain.errors import InvalidAddress, StorageUnavailable
from memberships_export.domain.export.record import Evidence
from memberships_export.domain.mail.address import checked_address
from memberships_export.domain.mail.mail import NOT_WANTED, Mail, SendResult
from memberships_export.domain.mail.plain_text import many_lines, one_line
from memberships_export.ports import Clock

_FROM_NAME = "Memberships export"
# Capitals are left out: on some file systems A.eml and a.eml are the same file.
_PLAIN_INTENT = re.compile(r"([a-z0-9][a-z0-9_-]{0,99}):([0-9]{1,9}|failure)")


class Outbox:
    """A Mailer that writes files. The name comes from the intent, so the same intent is always one file."""

    repeatable = True

    def __init__(self, folder: Path, *, mail_from: str, clock: Clock) -> None:
        """Take the folder (made with the first mail) and the sender's address. InvalidAddress when it is not one."""
        self._folder = folder
        self._files = Folder(folder)
        self._sender = checked_address(mail_from)
        self._clock = clock

    def send(self, mail: Mail, still_wanted: Callable[[], bool] = lambda: True) -> SendResult:
        """Write the mail; it is there whole, and stays, once this returns accepted."""
        if not still_wanted():
            return SendResult(evidence=Evidence.REFUSED, detail=NOT_WANTED)
        name = file_name(mail.intent)
        try:
            self._files.put_once(name, self._eml(mail, name))
        except InvalidAddress:
            detail = "The recipient's address is not one plain email address."
            return SendResult(evidence=Evidence.REFUSED, detail=detail, permanent=True)
        except StorageUnavailable as error:
            if (self._folder / name).exists():  # it is there whole: only making it durable did not work
                return SendResult(evidence=Evidence.ACCEPTED, message_id=name)
            return SendResult(evidence=Evidence.REFUSED, detail=f"The mail was not written. {error.reason}")
        except Exception as error:  # noqa: BLE001  (nothing was written under the mail's name)
            return not_prepared(error)
        return SendResult(evidence=Evidence.ACCEPTED, message_id=name)

    def _eml(self, mail: Mail, name: str) -> bytes:
        message = EmailMessage(policy=SMTP)
        message["From"] = Address(_FROM_NAME, addr_spec=self._sender)
        message["To"] = Address(addr_spec=checked_address(mail.to))
        message["Subject"] = one_line(mail.subject)
        message["Date"] = self._clock()
        message["Message-ID"] = f"<{name.removesuffix('.eml')}@{self._sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notice answers it
        message["X-Export-Id"] = one_line(mail.export_id)
        message["X-Send-Intent"] = one_line(mail.intent)
        message.set_content(many_lines(mail.text))
        message.add_alternative(many_lines(mail.html), subtype="html")
        if not mail.attachment:
            return message.as_bytes()
        main, _, sub = mail.attachment.media_type.partition("/")
        message.add_attachment(b"", maintype=main, subtype=sub, filename=one_line(mail.attachment.name))
        return _filled(message.as_bytes(), mail.attachment.content)


def file_name(intent: str) -> str:
    """Name the file of an intent: two intents never share one, whatever characters they hold."""
    plain = _PLAIN_INTENT.fullmatch(intent)
    if plain:
        return f"{plain[1]}.{plain[2]}.eml"
    return f"{sha256(intent.encode('utf-8', 'surrogatepass')).hexdigest()}.eml"


def _filled(eml: bytes, content: bytes) -> bytes:
    """Put the content into the attachment, which is empty and last.

    The generator of `email` walks through every line of an attachment in Python, which took longer than all the rest.
    """
    before, end, after = eml.rpartition(b"\r\n--")
    return b"".join([before, encodebytes(content).replace(b"\n", b"\r\n"), end, after])
