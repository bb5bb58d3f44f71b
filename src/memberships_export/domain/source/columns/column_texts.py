"""The values of one column of a page become texts: what all types of columns share."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from msgspec import UNSET, UnsetType

# As msgspec decoded it by `raw_type`: None for null, UNSET for missing. Of decimals the JSON itself, with b"null" for
# null; missing is UNSET or empty.
Raw = Any

T = TypeVar("T")
_ABSENT = frozenset({type(None), UnsetType})


class BadValue(Exception):
    """A value cannot be what its column says it is."""

    def __init__(self, place: int, what: str) -> None:
        """`place`: of its row in the page, from 0. `what` it is, in words that do not hold the value itself."""
        super().__init__(f"row {place} of the page has a value that is {what}")
        self.place = place
        self.what = what


class Values(Protocol):
    """One column: what its values are, and how they are written. Made by `values_of`, once per column."""

    def check(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> None:
        """Raise BadValue for the first value that cannot be written. What decoding has proved is not looked at."""
        ...

    def texts(self, raw: Sequence[Raw], currencies: Sequence[Raw] | None = None) -> Sequence[str | None]:
        """Return the text of each value, None for null and missing. Raises BadValue."""
        ...


def absent(value: Raw) -> bool:
    """Tell null and missing from everything else."""
    return value is None or value is UNSET


def all_there(raw: Sequence[Raw]) -> bool:
    """Return whether nothing is null or missing. Quick: it looks at no value twice."""
    return _ABSENT.isdisjoint(map(type, raw))


def places_there(raw: Sequence[Raw]) -> list[int]:
    """Return where something is, neither null nor missing."""
    return [place for place, value in enumerate(raw) if not absent(value)]


def of_present(raw: Sequence[Raw], convert: Callable[[Sequence[Raw]], Sequence[str | None]]) -> list[str | None]:
    """Convert what is there; null and missing are None. Raises BadValue."""
    if all_there(raw):
        return list(convert(raw))
    return put_at(places_there(raw), [None] * len(raw), lambda places: convert([raw[place] for place in places]))


def put_at(
    places: Sequence[int], texts: list[str | None], convert: Callable[[Sequence[int]], Sequence[str | None]]
) -> list[str | None]:
    """Put at these places what `convert` makes of what is there. Raises BadValue, with the place in the page."""
    try:
        found = convert(places)
    except BadValue as error:
        raise BadValue(places[error.place], error.what) from None
    for place, text in zip(places, found, strict=True):
        texts[place] = text
    return texts


def of_each(values: Sequence[T], convert: Callable[[T], str | None]) -> list[str | None]:
    """Convert one value after the other, equal ones once. Raises BadValue for the first one that `convert` refuses."""
    try:
        known = {value: convert(value) for value in set(values)}
    except BadValue:
        raise _first_bad(values, convert) from None
    return [known[value] for value in values]


def _first_bad(values: Sequence[T], convert: Callable[[T], str | None]) -> BadValue:
    for place, value in enumerate(values):
        try:
            convert(value)
        except BadValue as error:
            return BadValue(place, error.what)
    raise AssertionError("a value that was refused is accepted now")
