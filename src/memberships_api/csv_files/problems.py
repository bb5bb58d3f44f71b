"""What keeps a file from being imported, and what the person who imports it should know."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

MOST_KEPT = 1000  # of each: nobody reads more, and a file of a million bad rows must fit into memory


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to fix. `line` is that of the CSV file where the row starts; None: it is about the file or mapping.

    `column` is its name in the header; None: it is about the whole row.
    """

    reason: str
    line: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        return self.reason if self.line is None else f"line {self.line}: {self.reason}"


class ImportRefused(Exception):
    """Nothing was imported; `problems` says why, in file order, and `more` how many are left out."""

    def __init__(self, problems: Sequence[Problem], more: int = 0) -> None:
        self.problems = tuple(problems)
        self.more = more
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(slots=True)
class Problems:
    """Collects problems; counts all, keeps the first ones of the file."""

    kept: list[Problem] = field(default_factory=list)
    count: int = 0

    def add(self, problems: Iterable[Problem]) -> None:
        """Take in problems that are in file order among themselves."""
        fresh: list[Problem] = []
        for problem in problems:
            self.count += 1
            if len(fresh) < MOST_KEPT:
                fresh.append(problem)
        if fresh:
            self.kept = sorted([*self.kept, *fresh], key=lambda problem: problem.line or 0)[:MOST_KEPT]

    def raise_if_any(self) -> None:
        """Raise ImportRefused with the problems that were kept and the number of the others."""
        if self.count:
            raise ImportRefused(self.kept, self.count - len(self.kept))


@dataclass(slots=True)
class Notices:
    """Collects what was done to values: per kind how often, and where it was first."""

    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, text: str, line: int) -> None:
        """Take in one more of this kind."""
        count, first = self._seen.get(text, (0, line))
        self._seen[text] = (count + 1, first)

    def texts(self) -> list[str]:
        """Tell each kind in one sentence."""
        return [
            f"{text} ({'' if count == 1 else f'{count:,} rows, the first in '}line {first})."
            for text, (count, first) in self._seen.items()
        ]
