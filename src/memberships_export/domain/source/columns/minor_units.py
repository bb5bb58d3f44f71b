"""Amounts as whole numbers of the smallest unit of their currency: 2990 CHF is 29.90, 2990 JPY is 2990.

How many decimal places that takes is a fact of the currency. The digits are only cut: nothing is divided, no number
with a binary point comes into it.
"""

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from memberships_export.domain.source.columns.column_texts import BadValue, Raw, absent, of_each, places_there, put_at
from memberships_export.domain.source.columns.currencies import exponents
from memberships_export.domain.source.profile import Column

_WHOLE = re.compile(r"-?[0-9]{1,30}")


class MinorUnits(Struct, frozen=True):
    """A column of such amounts. The currency is a value of the same row, or `exponent` holds for all rows."""

    exponents: Mapping[str, int]  # by code, in capitals
    exponent: int | None  # for all rows, where there is no currency

    def check(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> None:
        """Raise BadValue for the first amount that is no whole number, or whose currency is not known."""
        self.texts(raw, currencies)

    def texts(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> list[str | None]:
        """Return amounts with as many decimal places as their currency has. Raises BadValue."""
        codes = [None] * len(raw) if currencies is None else currencies

        def texts_of(places: Sequence[int]) -> list[str | None]:
            return of_each([(raw[place], codes[place]) for place in places], self._text)

        return put_at(places_there(raw), [None] * len(raw), texts_of)

    def _text(self, amount_and_code: tuple[Raw, Raw]) -> str:
        amount, code = amount_and_code
        return with_point(str(amount), self._exponent_of(code))

    def _exponent_of(self, code: Raw) -> int:
        if self.exponent is not None:
            return self.exponent
        if absent(code):
            raise BadValue(0, "an amount without a currency")
        exponent = self.exponents.get(code.upper()) if isinstance(code, str) and code.isascii() else None
        if exponent is None:
            raise BadValue(0, "an amount in a currency that is no ISO 4217 code: set exponents")
        return exponent


def minor_units(column: Column) -> MinorUnits:
    """Return the values of the column. Its `exponents` count before ISO 4217, its `exponent` without a currency."""
    own = {code.upper(): exponent for code, exponent in column.exponents.items()}
    return MinorUnits(exponents() | own, column.exponent if column.currency is None else None)


def with_point(digits: str, exponent: int) -> str:
    """Return a whole number of units with so many decimal places. Raises BadValue for any other text."""
    if not _WHOLE.fullmatch(digits):
        raise BadValue(0, "no whole number of minor units")
    number = f"{int(digits)}"  # without zeros in front, and without a sign of zero
    sign, number = ("-", number[1:]) if number.startswith("-") else ("", number)
    number = number.zfill(exponent + 1)
    cut = len(number) - exponent
    return f"{sign}{number[:cut]}.{number[cut:]}" if exponent else sign + number
