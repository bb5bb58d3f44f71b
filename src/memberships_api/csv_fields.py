"""The rules for one field of an imported membership: text in, value out, or a reason to refuse it."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

FieldValue = int | str | Decimal | None

_INTEGER: Final = re.compile(r"[0-9]{1,18}")  # 18 digits fit into the 64 bits that databases have
_PRICE: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
_SHOWN_CHARACTERS: Final = 60


class FieldRefused(ValueError):
    """A value that breaks the rule of its field; the text names both and the fix."""


def parse_field(field: str, text: str) -> FieldValue:
    """Read one cell. Raises FieldRefused."""
    try:
        return _RULES[field](text)
    except ValueError as error:
        raise FieldRefused(f"{field} is {_shown(text)}: {error}") from error


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")


def _text(text: str) -> str:
    if _UNSTORABLE.search(text):
        raise ValueError("remove the NUL or broken character.")
    return text


def _required_text(text: str) -> str:
    if not text:
        raise ValueError("it must not be empty.")
    return _text(text)


def _optional_text(text: str) -> str | None:
    return _text(text) or None


def _date(text: str) -> str:
    if not _DATE.fullmatch(text):
        raise ValueError("write the date as YYYY-MM-DD.")
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError("there is no such day in the calendar.") from None
    return text


def _optional_date(text: str) -> str | None:
    return _date(text) if text else None


def _price(text: str) -> Decimal:
    if not _PRICE.fullmatch(text):
        raise ValueError("write a plain decimal like 1200.50: digits and a point, a minus if negative.")
    return Decimal(text)


def _whole_number(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError("write a whole number of 0 or more, with at most 18 digits.")
    return int(text)


def _optional_id(text: str) -> int | None:
    if not text:
        return None
    number = _whole_number(text)
    if number < 1:
        raise ValueError("ids start at 1; leave it empty to have one assigned.")
    return number


_RULES: Final[Mapping[str, Callable[[str], FieldValue]]] = {
    "id": _optional_id,
    "uuid": _optional_text,
    "name": _required_text,
    "userId": _required_text,
    "recurringPrice": _price,
    "validFrom": _date,
    "validUntil": _optional_date,
    "state": _required_text,
    "assignedBy": _optional_text,
    "paymentMethod": _optional_text,
    "billingInterval": _required_text,
    "billingPeriods": _whole_number,
}

FIELDS: Final = tuple(_RULES)

REQUIRED_FIELDS: Final = (
    "name",
    "userId",
    "recurringPrice",
    "validFrom",
    "state",
    "billingInterval",
    "billingPeriods",
)
