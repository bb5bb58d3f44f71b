"""Which email addresses an export may be sent to: one, plain, and safe to put into a header."""

import re

from memberships_export.domain.errors import InvalidAddress

MAX_LENGTH = 254  # RFC 5321 4.5.3.1.3, less the angle brackets
_ENCODED_WORD = re.compile(r"=\?.*\?=")  # RFC 2047: mail programs read it as text in another encoding
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@{_LABEL}(?:\.{_LABEL})*")


def checked_address(text: str) -> str:
    """Return the address unchanged, or raise InvalidAddress.

    Deliberately narrower than RFC 5322: no quoted local part, comment, address literal, encoded word or non-ASCII
    character. Every address in real use passes. Nothing that passes can break a header, name a second recipient, or be
    read as another address than it is.
    """
    found = _ADDRESS.fullmatch(text)
    if found is None or _ENCODED_WORD.search(found["local"]) or len(text) > MAX_LENGTH or len(found["local"]) > 64:  # noqa: PLR2004  (RFC 5321 4.5.3.1.1)
        reason = "The email address is not one plain address like name@example.org."
        raise InvalidAddress(reason)
    return text
