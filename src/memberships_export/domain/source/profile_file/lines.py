"""On which line of a TOML file a key is, for those who look for a problem. The file is read statement by statement."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from memberships_export.domain.source.profile_file.places import Place

_MOST_LINES, _LONGEST_TEXT = 2000, 65_536  # of a file; a profile has a hundred lines
_LONGEST = 200  # lines of one value


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of what is in a file."""

    _known: dict[Place, int] = field(default_factory=dict)

    def of(self, place: Place) -> int | None:
        """Return the line of a key, else of the table in which it is missing."""
        for length in range(len(place), 0, -1):
            if place[:length] in self._known:
                return self._known[place[:length]]
        return None


def lines_of(text: str) -> Lines:
    """Find the keys of a valid TOML file. Of a very long one nothing is known."""
    lines = text.replace("\r\n", "\n").split("\n")
    known: dict[Place, int] = {}
    table: Place = ()
    entries: dict[Place, int] = {}  # of each array of tables: the one that is being filled
    for number, statement, parsed in _statements(
        lines if len(lines) <= _MOST_LINES and len(text) <= _LONGEST_TEXT else []
    ):
        if statement.lstrip().startswith("["):
            table = _table(parsed, entries)
            known.setdefault(table, number)
            continue
        for place in _places(parsed, table):
            known.setdefault(place, number)
        known |= _elements(parsed, statement, number, table)
    return Lines(known)


def _statements(lines: list[str]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Return each statement with the number of its first line: a value may go on over several."""
    start = 0
    for end in range(1, len(lines) + 1):
        statement = "\n".join(lines[start:end])
        if (parsed := _parsed(statement)) is not None:
            if parsed:
                yield start + 1, statement, parsed
            start = end
        elif end - start > _LONGEST:
            return


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except ValueError:
        return None


def _table(header: Mapping[str, Any], entries: dict[Place, int]) -> Place:
    """Return the place that a header names; that of an array of tables gets its next number."""
    place: Place = ()
    value: Any = header
    while isinstance(value, dict) and value:
        ((name, value),) = value.items()
        place = (*place, name)
        if isinstance(value, list):
            entries[place] = entries.get(place, -1) + 1
            return (*place, entries[place])
        if place in entries:
            place = (*place, entries[place])
    return place


def _places(value: Any, place: Place) -> Iterator[Place]:  # noqa: ANN401  (TOML)
    ahead = [(place, value)]  # no recursion: a key may have any number of dots
    while ahead:
        place, value = ahead.pop()
        inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, part in inside:
            yield (*place, key)
            ahead.append(((*place, key), part))


def _elements(parsed: Mapping[str, Any], statement: str, number: int, table: Place) -> dict[Place, int]:
    """Return the lines of the tables in a list that goes on over several lines."""
    lines, known = statement.split("\n"), dict[Place, int]()
    ((key, value),) = parsed.items()
    if not isinstance(value, list) or len(lines) == 1:
        return known
    for end in range(1, len(lines)):
        begun = _parsed("\n".join(lines[:end]) + "\n]")
        for at in range(len(begun[key]) if begun else 0):
            if (*table, key, at) not in known:
                places = [(*table, key, at), *_places(value[at], (*table, key, at))]
                known |= dict.fromkeys(places, number + end - 1)
    return known
