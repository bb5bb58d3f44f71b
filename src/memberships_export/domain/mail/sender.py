"""Who mails come from, and where answers to them go."""

import re
from dataclasses import dataclass

from memberships_export.domain.errors import InvalidAddress
from memberships_export.domain.mail.address import checked_address
from memberships_export.domain.mail.plain_text import one_line

NAME = "Memberships export"
LONGEST_NAME = 100  # characters
_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>", re.DOTALL)
# Quotes and backslashes are the syntax of headers, commas and semicolons SendGrid does not take.
_NOT_IN_A_NAME = frozenset('",;\\')


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The From of mails, and their Reply-To. All of it is fit for a header."""

    address: str
    name: str = NAME
    reply_to: str | None = None

    def __post_init__(self) -> None:
        """Refuse what would break a header, or what a mail service would not take. Raises InvalidAddress."""
        for address in (self.address, self.reply_to):
            if address is not None:
                checked_address(address)
        if not is_name(self.name):
            raise InvalidAddress(f"The sender's name is not 1 to {LONGEST_NAME} characters without comma, semicolon.")


def split_sender(text: str) -> tuple[str | None, str]:
    """Read `Name <address>`, or an address alone, as (name, address). Raises InvalidAddress.

    The name may stand in quotation marks.
    """
    found = _NAMED.fullmatch(text.strip(" "))
    if found is None:
        return None, checked_address(text)
    name = found["name"].strip(" ")
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1]
    if name and not is_name(name):
        raise InvalidAddress("The name before the address holds characters that no header may have.")
    return name or None, checked_address(found["address"])


def is_name(text: str) -> bool:
    """Tell whether a text can stand for somebody in a header: one line, nothing hidden in it."""
    return (
        0 < len(text) <= LONGEST_NAME
        and one_line(text) == text
        and not _NOT_IN_A_NAME & set(text)
        and not set("<>") & set(text)
        and "=?" not in text  # RFC 2047: mail programs would read it as text in another encoding
    )
