"""Columns whose values are named by a map, and lists that are joined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec import UNSET
from msgspec import Raw as RawJson

from memberships_export.domain.source.column_texts import Raw, Values, of_present, put_at
from memberships_export.domain.source.money import unquoted
from memberships_export.domain.source.plain_values import json_texts


@dataclass(frozen=True, slots=True)
class Joined:
    """Lists of texts and whole numbers, as one text each. An empty list is empty text."""

    between: str
    words: Mapping[str, str]  # of what the list holds

    def check(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> None:
        """Do nothing: decoding has proved it."""

    def texts(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> list[str | None]:
        """Return the lists with the text between what they hold."""
        del currencies
        return of_present(raw, lambda lists: [self.between.join(self._named(values)) for values in lists])

    def _named(self, values: Sequence[Raw]) -> list[str]:
        return [self.words.get(text, text) for text in json_texts(values)]


@dataclass(frozen=True, slots=True)
class Mapped:
    """Values of which some have a name, by their JSON text without quotes: 1 and "1" are the same, null is `null`."""

    words: Mapping[str, str]
    others: Values  # what has no name

    def check(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> None:
        """Raise BadValue for the first value that has no name and is not what the column says."""
        self.texts(raw, currencies)

    def texts(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> list[str | None]:
        """Return the names, and the texts of what has none. Raises BadValue."""
        named = [None if key is None else self.words.get(key) for key in _keys(raw)]
        places = [place for place, name in enumerate(named) if name is None]

        def texts_of(places: Sequence[int]) -> list[str | None]:
            codes = None if currencies is None else [currencies[place] for place in places]
            return self.others.texts([raw[place] for place in places], codes)

        return put_at(places, named, texts_of) if places else named


def _keys(raw: Sequence[Raw]) -> list[str | None]:
    """Return the JSON of each value, texts without quotes; None where it is missing."""
    if set(map(type, raw)) <= {str}:
        return list(raw)
    return [None if value is UNSET else _key(value) for value in raw]


def _key(value: Raw) -> str | None:
    if value is None:
        return "null"
    if isinstance(value, RawJson):
        return unquoted(bytes(value).decode())
    return json_texts([value])[0]
