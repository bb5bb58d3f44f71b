"""Amounts of money with a decimal point, or texts that look like one."""

from collections.abc import Sequence
from contextlib import suppress

from msgspec import Raw as RawJson
from msgspec import Struct

from memberships_export.domain.source.columns.column_texts import BadValue, Raw, absent, all_there, of_present
from memberships_export.domain.source.columns.money import no_amount, plain_amounts, written_out

_NOTHING = (b"", b"null")  # missing, and null


class Decimals(Struct, frozen=True):
    """Amounts of money, as JSON that `money` reads."""

    required: bool

    def check(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> None:
        """Raise BadValue for the first value that is no amount."""
        if not _all_amounts(raw):
            self.texts(raw, currencies)

    def texts(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> list[str | None]:
        """Return amounts as they came, without exponent. Raises BadValue."""
        del currencies
        with suppress(TypeError):  # something is null or missing
            if plain := plain_amounts(raw):
                return [*plain]
        return of_present(self._amounts_or_none(raw), _written)

    def _amounts_or_none(self, raw: Sequence[Raw]) -> list[RawJson | None]:
        values = [None if absent(value) or bytes(value) in _NOTHING else value for value in raw]
        if self.required and None in values:
            raise BadValue(values.index(None), "null or missing, and required")
        return values


def _all_amounts(raw: Sequence[Raw]) -> bool:
    return all_there(raw) and no_amount(raw) is None


def _written(prices: Sequence[RawJson]) -> list[str]:
    place = no_amount(prices)
    if place is not None:
        raise BadValue(place, 'no amount of money such as 29.90 or "29.90"')
    return written_out(prices)
