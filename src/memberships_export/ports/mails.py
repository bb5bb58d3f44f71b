"""Mails: in what words, by whom they are handed over, and where they are kept."""

from collections.abc import Callable
from typing import Protocol

from memberships_export.domain.formats.headings import Translate
from memberships_export.domain.mail.compose import Written
from memberships_export.domain.mail.facts import Facts
from memberships_export.domain.mail.mail import Mail, SendResult


class Translations(Protocol):
    """What is said to members, in their languages. What nobody translated stays English."""

    def into(self, language: str) -> Translate:
        """Return what translates English texts into this language, such as de or de-CH."""
        ...


class MailWriter(Protocol):
    """Puts into words what a mail tells."""

    def write(self, facts: Facts) -> Written:
        """Write the mail, in the language and the time zone of the facts."""
        ...


class Mailer(Protocol):
    """Hands mails over. One attempt per call: no retries, no redirects."""

    repeatable: bool
    """True when sending the same intent twice gives one mail."""

    def send(self, mail: Mail, still_wanted: Callable[[], bool] = lambda: True) -> SendResult:
        """Try to hand over one mail; everything that can happen is a SendResult.

        `still_wanted` is asked last before the first byte leaves: a process may have been stopped at any point before.
        """
        ...


class KeptMails(Protocol):
    """Mails that were written to this machine instead of being handed over."""

    def delete(self, export_id: str) -> int:
        """Delete the mails of an export; return how many there were."""
        ...
