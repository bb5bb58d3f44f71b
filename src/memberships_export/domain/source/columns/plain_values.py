"""Columns whose values decoding has nearly made texts of, and those that one function converts."""

from collections.abc import Callable, Sequence

from msgspec import UNSET, Struct, UnsetType

from memberships_export.domain.source.columns.column_texts import BadValue, Raw, absent, of_present

_NAMES = {int: "no whole number", bool: "neither true nor false"}


class Texts(Struct, frozen=True):
    """Text, as it came. `may_lack`: decoding lets rows through in which it is missing."""

    may_lack: bool = True

    def check(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> None:
        """Do nothing: decoding has proved it."""

    def texts(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> Sequence[str | None]:
        """Return what came."""
        del currencies
        return [None if value is UNSET else value for value in raw] if self.may_lack else raw


class JsonTexts(Struct, frozen=True):
    """Numbers, true and false, and text beside them: written as in JSON, without quotes.

    `only`: what may be there, where decoding lets more through because a map may name it.
    """

    only: type | None = None

    def check(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> None:
        """Do nothing: decoding has proved it."""

    def texts(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> list[str | None]:
        """Return the digits of numbers, `true` and `false`. Raises BadValue."""
        del currencies
        types = set(map(type, raw))
        if self.only and not {self.only, type(None), UnsetType}.issuperset(types):
            place = next(place for place, value in enumerate(raw) if not absent(value) and type(value) is not self.only)
            raise BadValue(place, f"{_NAMES[self.only]}, and not named in map")
        if types == {int}:  # nearly always
            return list(map(str, raw))
        return of_present(raw, json_texts)


class Constant(Struct, frozen=True):
    """The same text in each row, whatever it holds."""

    value: str

    def check(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> None:
        """Do nothing: nothing of the row is used."""

    def texts(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> list[str | None]:
        """Return it once for each row."""
        del currencies
        return [self.value] * len(raw)


class Converted(Struct, frozen=True):
    """Values that a function makes texts of, a whole page at once."""

    convert: Callable[[Sequence[Raw]], list[str | None]]  # of what is there; raises BadValue

    def check(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> None:
        """Raise BadValue for the first value that the function refuses."""
        self.texts(raw, currencies)

    def texts(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> list[str | None]:
        """Return what the function makes of them. Raises BadValue."""
        del currencies
        return of_present(raw, self.convert)


def json_texts(values: Sequence[Raw]) -> list[str]:
    """Return texts as they are, and numbers, true and false as JSON writes them."""
    types = set(map(type, values))
    if types <= {str}:
        return list(values)
    if bool not in types:
        return list(map(str, values))
    return [("true" if value else "false") if isinstance(value, bool) else str(value) for value in values]
