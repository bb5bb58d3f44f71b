"""Which email addresses an export may be sent to: one, plain, and safe to put into a header."""

import re

from memberships_export.domain.errors import InvalidAddress

MAX_LENGTH = 254  # RFC 5321 4.5.3.1.3, less the angle brackets
_LONGEST_DOMAIN = 253  # characters; in its ASCII form it is longer
_ENCODED_WORD = re.compile(r"=\?.*\?=")  # RFC 2047: mail programs read it as text in another encoding
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@{_LABEL}(?:\.{_LABEL})*")


def canonical_address(text: str) -> str:
    """Return the one spelling of an address that records and mails have, or raise InvalidAddress.

    The domain is in lower case, and in ASCII (A-labels, RFC 5891). The part before the @ stays as it is: only its mail
    server knows which of its spellings are the same.
    """
    local, at, domain = text.rpartition("@")
    if at and not local.isascii():
        reason = (
            "The email address has other than ASCII letters before the @, and not all mail servers take such an "
            "address (SMTPUTF8): use one like name@example.org."
        )
        raise InvalidAddress(reason)
    return checked_address(f"{local}{at}{_ascii_domain(domain)}")


def checked_address(text: str) -> str:
    """Return the address unchanged, or raise InvalidAddress.

    Deliberately narrower than RFC 5322: no quoted local part, comment, address literal, encoded word or non-ASCII
    character. Every address in real use passes, once its domain is in ASCII. Nothing that passes can break a header,
    name a second recipient, or be read as another address than it is.
    """
    found = _ADDRESS.fullmatch(text)
    if found is None or _ENCODED_WORD.search(found["local"]) or len(text) > MAX_LENGTH or len(found["local"]) > 64:  # noqa: PLR2004  (RFC 5321 4.5.3.1.1)
        reason = "The email address is not one plain address like name@example.org."
        raise InvalidAddress(reason)
    return text


def _ascii_domain(domain: str) -> str:
    """Even out case and composition (NFC) only: what else the rules of IDNA would map is more likely a disguise."""
    if domain.isascii():
        return domain.lower()
    if len(domain) > _LONGEST_DOMAIN:
        return domain  # none that can be; its conversion would take long
    from unicodedata import normalize  # noqa: PLC0415  (few addresses need it, and a cold function should not wait for it)

    labels = normalize("NFC", "".join(map(str.lower, domain))).split(".")
    return ".".join(label if label.isascii() else _ascii_label(label) for label in labels)


def _ascii_label(label: str) -> str:
    from idna import alabel  # noqa: PLC0415  (as above)

    try:
        return alabel(label).decode()
    except UnicodeError as error:  # idna's own errors are of this kind
        reason = "The domain of the email address is no valid international one (IDNA 2008): check how it is written."
        raise InvalidAddress(reason) from error
