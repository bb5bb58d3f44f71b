"""What is wrong with what was chosen about a file: all of it at once, with the names that were perhaps meant."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from memberships_export.domain.errors import InvalidOptions

Problem = tuple[str, str]
"""An option as clients spell it, and what is wrong with it."""
Known = TypeVar("Known")

LONGEST_NAME = 200  # characters; what is longer is looked for nowhere
_LONGEST_SHOWN = 60
_MOST_LISTED = 40
_MOST_NEAR = 3
_MOST_PROBLEMS = 20  # more than a person mends at once; each takes time to find the names that are near


@dataclass(slots=True)
class Problems:
    """Those found so far."""

    found: list[Problem] = field(default_factory=list)

    def add(self, option: str, problem: str) -> None:
        """Add one, unless there are very many."""
        if len(self.found) < _MOST_PROBLEMS:
            self.found.append((option, problem))

    def unknown(self, option: str, said: str, names: Collection[str], hint: str | None = None) -> None:
        """Add that there is no such name, which were perhaps meant, and which there are unless a hint is given."""
        if len(self.found) < _MOST_PROBLEMS:
            self.add(option, _unknown(said, names, f"There are {listing(names)}." if hint is None else hint))

    def known(self, option: str, said: str | None, meanings: Mapping[str, Known]) -> Known | None:
        """Return what a name means; None when nothing was said, or nothing that there is."""
        if said is not None and said not in meanings:
            self.unknown(option, said, meanings)
        return None if said is None else meanings.get(said)

    def about(self, *options: str) -> bool:
        """Tell whether there are some with one of these options."""
        return any(option in options for option, _ in self.found)

    def check(self) -> None:
        """Raise InvalidOptions with all of them, if there are any."""
        if self.found:
            raise InvalidOptions(self.found)


def shown(said: str) -> str:
    """Return text in quotes, of a bounded length, and with nothing that does not print."""
    return repr(said if len(said) <= _LONGEST_SHOWN else f"{said[:_LONGEST_SHOWN]}…")


def nearest(said: str, names: Iterable[str]) -> list[str]:
    """Return the names that were perhaps meant, the most likely first; upper and lower case are the same.

    A zone is also known by its place alone: Berlin is Europe/Berlin.
    """
    if len(said) > LONGEST_NAME:
        return []
    # Takes long to load, and only who made a mistake waits for it.
    from difflib import get_close_matches  # noqa: PLC0415

    meant, ordered = said.casefold(), sorted(names, reverse=True)
    places = {name.casefold().rpartition("/")[2]: name for name in ordered}
    folded = places | {name.casefold(): name for name in ordered}
    within = [other for other in sorted(folded, key=len) if len(meant) > 1 and meant in other]
    near = [folded[other] for other in [*within, *get_close_matches(meant, folded, _MOST_NEAR)]]
    return list(dict.fromkeys(near))[:_MOST_NEAR]


def listing(names: Iterable[str]) -> str:
    """Return names in quotes, and how many more there are than can be told."""
    known = list(names)
    more = f" and {len(known) - _MOST_LISTED} more" if len(known) > _MOST_LISTED else ""
    return ", ".join(map(shown, known[:_MOST_LISTED])) + more


def _unknown(said: str, names: Collection[str], hint: str) -> str:
    near = " or ".join(map(shown, nearest(said, names)))
    return f"{shown(said)} is not known{f': did you mean {near}?' if near else '.'} {hint}".rstrip()
