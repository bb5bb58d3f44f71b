"""Amounts of money with a decimal point, or texts that look like one."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Raw as RawJson

from memberships_export.domain.source.column_texts import BadValue, Raw, absent, of_present
from memberships_export.domain.source.money import no_amount, written_out


@dataclass(frozen=True, slots=True)
class Decimals:
    """Amounts of money, as JSON that `money` reads."""

    required: bool

    def check(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> None:
        """Raise BadValue for the first value that is no amount."""
        self.texts(raw, currencies)

    def texts(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> list[str | None]:
        """Return amounts as they came, without exponent. Raises BadValue."""
        del currencies
        values = _nulls_as_none(raw)
        if self.required and None in values:
            raise BadValue(values.index(None), "no amount where the column requires one")
        return of_present(values, _amounts)


def _nulls_as_none(raw: Sequence[Raw]) -> list[RawJson | None]:
    """Return the JSON of the values: what is missing is UNSET or empty, null is b"null"."""
    return [None if absent(value) or bytes(value) in (b"", b"null") else value for value in raw]


def _amounts(prices: Sequence[RawJson]) -> list[str]:
    place = no_amount(prices)
    if place is not None:
        raise BadValue(place, 'a value that is no amount of money such as 29.90 or "29.90"')
    return written_out(prices)
