"""The rules for one field of an imported membership: text in, value out, or a reason to refuse it."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from memberships_api.csv_files.decimals import parse_price
from memberships_api.csv_files.dialect import Dialect
from memberships_api.csv_files.ids import check_id

FieldValue = int | str | Decimal | None

_INTEGER: Final = re.compile(r"[0-9]{1,18}")  # 18 digits fit into the 64 bits that databases have
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
_ESCAPED_BYTE: Final = re.compile("[\udc80-\udcff]")  # what the reading makes of a byte that the encoding has not
_NO_VALUE: Final = frozenset({"null", "\\n", "n/a", "#n/a"})
_NO_USER: Final = _NO_VALUE | {"none", "nan", "undefined", "nil"}
_NO_DATE: Final = re.compile(r"0000-00-00( 00:00:00)?")
_SHOWN_CHARACTERS: Final = 60

OPTIONAL_FIELDS: Final = ("id", "uuid", "validUntil", "assignedBy", "paymentMethod")
IDS: Final = ("id", "uuid", "userId")


class FieldRefused(ValueError):
    """A value that breaks the rule of its field; the text names both and the fix."""


class Parsed(NamedTuple):
    """The value, and what was done to the text on the way; None: nothing."""

    value: FieldValue
    notice: str | None = None


def parse_field(field: str, text: str, dialect: Dialect, column: str | None = None) -> Parsed:
    """Read one cell. `column` is named when it is not the field's own. Raises FieldRefused."""
    try:
        return _parsed(field, text, dialect)
    except ValueError as error:
        where = "" if column in (None, field) else f" (column {shown(column)})"
        raise FieldRefused(f"{field} is {shown(text)}{where}: {error}") from error


def shown(text: object) -> str:
    r"""Quote a value for a message to a person: long text is cut, a byte that is no text is shown as \xNN."""
    plain = str(text)
    quoted = repr(plain if len(plain) <= _SHOWN_CHARACTERS else plain[:_SHOWN_CHARACTERS] + "…")
    return quoted.replace("\\udc", "\\x")  # the byte that could not be decoded


def _parsed(field: str, text: str, dialect: Dialect) -> Parsed:
    bare = text.strip()
    if bare.casefold() in (_NO_USER if field == "userId" else _NO_VALUE):
        return _nothing(field, f"{field} is {bare}")
    if field in ("validFrom", "validUntil") and _NO_DATE.fullmatch(bare):
        return _nothing(field, f"{field} is {bare}")
    if field in IDS and bare != text:
        return Parsed(_RULES[field](bare, dialect), f"{field} had white space around it, which was taken off")
    return Parsed(_RULES[field](text, dialect))


def _nothing(field: str, found: str) -> Parsed:
    if field not in OPTIONAL_FIELDS:
        raise ValueError("this stands for no value, and one is needed.")
    return Parsed(None, f"{found}, which was taken for no value")


def _text(text: str, dialect: Dialect) -> str:
    if not _UNSTORABLE.search(text):
        return text
    if _ESCAPED_BYTE.search(text):
        raise ValueError(f"a character is broken, because the file is not {dialect.encoding} here: say --encoding.")
    raise ValueError("remove the NUL or broken character.")


def _required_text(text: str, dialect: Dialect) -> str:
    if not text:
        raise ValueError("it must not be empty.")
    return _text(text, dialect)


def _optional_text(text: str, dialect: Dialect) -> str | None:
    return _text(text, dialect) or None


def _user_id(text: str, dialect: Dialect) -> str:
    check_id(_required_text(text, dialect))
    return text


def _uuid(text: str, dialect: Dialect) -> str | None:
    check_id(_text(text, dialect))
    return text or None


def _date(text: str, dialect: Dialect) -> str:
    return dialect.date_format.parse(text)


def _optional_date(text: str, dialect: Dialect) -> str | None:
    return _date(text, dialect) if text else None


def _price(text: str, dialect: Dialect) -> Decimal:
    return parse_price(text, dialect.decimal)


def _whole_number(text: str, _: Dialect) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError("write a whole number of 0 or more, with at most 18 digits.")
    return int(text)


def _optional_id(text: str, dialect: Dialect) -> int | None:
    if not text:
        return None
    number = _whole_number(text, dialect)
    if number < 1:
        raise ValueError("ids start at 1; leave it empty to have one assigned.")
    return number


_RULES: Final[Mapping[str, Callable[[str, Dialect], FieldValue]]] = {
    "id": _optional_id,
    "uuid": _uuid,
    "name": _required_text,
    "userId": _user_id,
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
REQUIRED_FIELDS: Final = tuple(field for field in FIELDS if field not in OPTIONAL_FIELDS)
