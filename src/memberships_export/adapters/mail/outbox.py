"""Mails as files: every mail becomes one .eml in a folder, to be opened with any mail program."""

from collections.abc import Callable
from pathlib import Path

from memberships_export.adapters.embedded.folder import Folder
from memberships_export.adapters.mail.eml import eml, plain_name
from memberships_export.adapters.mail.not_prepared import not_prepared
from memberships_export.domain.errors import InvalidAddress, StorageUnavailable
from memberships_export.domain.export.record import Evidence
from memberships_export.domain.mail.intent import intents_of
from memberships_export.domain.mail.mail import NOT_AN_ADDRESS, NOT_WANTED, Mail, SendResult
from memberships_export.domain.mail.sender import Sender
from memberships_export.ports import Clock


class Outbox:
    """A Mailer that writes files. The name comes from the intent, so the same intent is always one file."""

    repeatable = True

    def __init__(self, folder: Path, *, sender: Sender, clock: Clock) -> None:
        """Take the folder (made with the first mail), and who mails come from."""
        self._folder = folder
        self._files = Folder(folder)
        self._sender = sender
        self._clock = clock

    def send(self, mail: Mail, still_wanted: Callable[[], bool] = lambda: True) -> SendResult:
        """Write the mail; it is there whole, and stays, once this returns accepted."""
        if not still_wanted():
            return SendResult(evidence=Evidence.REFUSED, detail=NOT_WANTED)
        name = file_name(mail.intent)
        try:
            self._files.keep(name, eml(mail, self._sender, self._clock()))
        except InvalidAddress:
            return SendResult(evidence=Evidence.REFUSED, detail=NOT_AN_ADDRESS, permanent=True)
        except StorageUnavailable as error:
            if (self._folder / name).exists():  # it is there whole: only making it durable did not work
                return SendResult(evidence=Evidence.ACCEPTED, message_id=name)
            return SendResult(evidence=Evidence.REFUSED, detail=f"The mail was not written. {error.reason}")
        except Exception as error:  # noqa: BLE001  (nothing was written under the mail's name)
            return not_prepared(error)
        return SendResult(evidence=Evidence.ACCEPTED, message_id=name)


class OutboxMails:
    """KeptMails in the folder of the outbox, whether the outbox is the mailer now or was before."""

    def __init__(self, folder: Path) -> None:
        """`folder`: of the outbox; it may not be there."""
        self._files = Folder(folder)

    def delete(self, export_id: str) -> int:
        """Delete the mails of an export; return how many files there were."""
        return self._files.discard({file_name(intent) for intent in intents_of(export_id)})


def file_name(intent: str) -> str:
    """Name the file of an intent: two intents never share one, whatever characters they hold."""
    return f"{plain_name(intent)}.eml"
