"""Amounts of money as a page sends them. Their text is kept, never a number made of it: no digit can change.

Nearly all prices are short and plain. These functions look at the joined text of a whole page first, and at one price
after the other only where that finds something else.
"""

import json
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

_MOST_DIGITS = 30  # before the decimal point, or zeros after it
_LONGEST = 200  # characters
_PLAIN = re.compile(rb'(?:"?+-?+[0-9]{1,15}+(?:\.[0-9]{1,15}+)?+"?+\n)*+')
_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,9})?")  # the grammar of JSON; text may begin with zeros


def no_amount(prices: Sequence[msgspec.Raw]) -> int | None:
    """Return the place of the first price that is no amount; None when all are.

    An amount is a JSON number, or text that looks like one: ASCII digits, no blanks, no plus sign in front. Exponents
    and lengths that would fill a file with zeros are refused.
    """
    if _PLAIN.fullmatch(b"\n".join(prices) + b"\n"):
        return None
    return next((place for place, price in enumerate(prices) if not _is_amount(price)), None)


def plain_amounts(prices: Iterable[msgspec.Raw]) -> list[str] | None:
    """Return amounts as text when all of them are short and plain, else None; TypeError where one is missing."""
    text = b"\n".join(prices)
    return text.decode().replace('"', "").split("\n") if _PLAIN.fullmatch(text + b"\n") else None


def written_out(prices: Iterable[msgspec.Raw]) -> list[str]:
    """Return amounts as text for people: the digits as they came, without quotes and without exponent."""
    text = b"\n".join(prices).decode()
    if not text:
        return []
    if "\\" in text or "e" in text or "E" in text:
        return [_without_exponent(unquoted(price)) for price in text.split("\n")]
    return text.replace('"', "").split("\n")


def _is_amount(price: msgspec.Raw) -> bool:
    text = unquoted(bytes(price).decode(errors="replace"))
    if len(text) > _LONGEST or not _AMOUNT.fullmatch(text):
        return False
    return abs(Decimal(text).adjusted()) <= _MOST_DIGITS


def unquoted(price: str) -> str:
    """Read a price that is text, which may hold escapes; a number is its own text."""
    return str(json.loads(price)) if price.startswith('"') else price


def _without_exponent(amount: str) -> str:
    return f"{Decimal(amount):f}" if "e" in amount or "E" in amount else amount
