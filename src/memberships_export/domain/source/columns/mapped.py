"""Columns whose values are named by a map, and lists that are joined."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import UNSET, Struct
from msgspec import Raw as RawJson

from memberships_export.domain.source.columns.column_texts import Raw, Values, of_present, put_at
from memberships_export.domain.source.columns.money import unquoted
from memberships_export.domain.source.columns.plain_values import json_texts


class Joined(Struct, frozen=True):
    """Lists of texts and whole numbers, as one text each. An empty list is empty text."""

    between: str
    words: Mapping[str, str]  # of what the list holds

    def check(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> None:
        """Do nothing: decoding has proved it."""

    def texts(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> list[str | None]:
        """Return the lists with the text between what they hold."""
        del currencies
        return of_present(raw, lambda lists: [self.between.join(self._named(values)) for values in lists])

    def _named(self, values: Sequence[Raw]) -> Iterable[str]:
        return [self.words.get(text, text) for text in json_texts(values)] if self.words else map(str, values)


class Mapped(Struct, frozen=True):
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

        def texts_of(places: Sequence[int]) -> Sequence[str | None]:
            codes = None if currencies is None else [currencies[place] for place in places]
            return self.others.texts([raw[place] for place in places], codes)

        return put_at(places, named, texts_of) if places else named


def _keys(raw: Sequence[Raw]) -> list[str | None]:
    """Return the JSON of each value, texts without quotes; None where it is missing."""
    types = set(map(type, raw))
    if RawJson in types:
        return list(map(_json_key, raw))
    keys = of_present(raw, json_texts)
    if type(None) not in types:
        return keys
    return ["null" if value is None else key for value, key in zip(raw, keys, strict=True)]


def _json_key(value: Raw) -> str | None:
    if value is None:
        return "null"
    if value is UNSET or not value:
        return None
    return unquoted(bytes(value).decode(errors="replace"))
