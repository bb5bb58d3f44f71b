"""A column of rows as cells of XML. Cells hold no references such as A1: their order says where they stand."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import repeat

NOTHING = "<c/>"  # keeps the place of a cell


@dataclass(frozen=True, slots=True)
class Cells:
    """One column: each cell is `before`, one of the values, `after`."""

    before: str
    values: Sequence[str]
    after: str
    cut: int = 0  # how many texts were too long


def whole(values: Sequence[str], cut: int = 0) -> Cells:
    """Return cells that are already complete."""
    return Cells("", values, "", cut)


def of_distinct(texts: Sequence[str | None], cell: Callable[[str], str]) -> Cells:
    """Make a cell of each text, of equal ones once; nothing of None."""
    known = {text: NOTHING if text is None else cell(text) for text in set(texts)}
    return whole(list(map(known.__getitem__, texts)))


def rows_of(columns: Sequence[Cells]) -> Iterator[str]:
    """Return the rows as XML, one after the other."""
    # What all rows have in common stands between the values: to join is faster than to format.
    pieces, common = list[Iterable[str]](), "<row>"
    for cells in columns:
        pieces += [repeat(common + cells.before), cells.values]
        common = cells.after
    return map("".join, zip(*pieces, repeat(f"{common}</row>"), strict=False))


def attribute(text: str) -> str:
    """Return text as it stands in an attribute, or in an element that Excel reads without its own escapes."""
    return escape(text)
