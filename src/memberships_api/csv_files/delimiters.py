"""The delimiter of a file: read from its first rows, or checked when it is given."""

import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

NAMES: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_GIVEN: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "bar": "|", "pipe": "|"}
_SEP_LINE = re.compile(r'"?sep=(?P<delimiter>[^\r\n"])"?[;,\t ]*(\r\n|\r|\n|$)', re.IGNORECASE)
_JUDGED_ROWS = 200
_INVISIBLE_AROUND = "\ufeff\u200b\u200c\u200d\u2060"


@dataclass(frozen=True, slots=True, order=True)
class _Fit:
    """How well a delimiter fits, most telling first."""

    wanted: int
    """Columns of its header that somebody asked for."""
    even: bool
    """Nearly all rows have as many cells as the header."""
    cells: int


def guessed_delimiter(sample: str, wanted: Collection[str]) -> str:
    """Tell the delimiter from the first rows; `wanted` are columns that are looked for. Raises ValueError."""
    if (told := delimiter_line(sample)) is not None:
        return told
    fits = {delimiter: _fit(sample, delimiter, wanted) for delimiter in NAMES}
    best = max(fits.values())
    if best.cells < 2:  # noqa: PLR2004  (one column: nothing is separated)
        return ","
    first, *others = [delimiter for delimiter, fit in fits.items() if fit == best]
    if others:
        names = " or ".join(NAMES[delimiter] for delimiter in (first, *others))
        raise ValueError(f"could be separated by {names}: say --delimiter.")
    return first


def delimiter_line(sample: str) -> str | None:
    """Read the line `sep=;` that Excel puts before the header."""
    found = _SEP_LINE.match(sample.lstrip("\ufeff"))
    return found["delimiter"] if found else None


def given_delimiter(text: str) -> str:
    """Check a delimiter, a character or its name. Raises ValueError."""
    delimiter = _GIVEN.get(text.casefold(), text)
    if len(delimiter) != 1 or delimiter.isalnum() or delimiter in "\"'\r\n\0 -_." or not delimiter.isascii():
        raise ValueError(f"{text!r} cannot separate columns: say one of , ; | tab.")
    return delimiter


def clean_name(name: str) -> str:
    """Take off a column's name what nobody sees around it."""
    return name.strip().strip(_INVISIBLE_AROUND).strip()


def is_empty(cells: Collection[str]) -> bool:
    """Tell a row that holds nothing, such as Excel's `,,,,`."""
    return not any(map(clean_name, cells))


def sample_rows(sample: str, delimiter: str) -> Iterator[list[str]]:
    """Read the rows of a sample that are not empty, the header first; the last one may be cut."""
    text = io.StringIO(sample.lstrip("\ufeff"), newline="")
    if delimiter_line(sample) is not None:
        text.readline()
    try:
        yield from (cells for cells in csv.reader(text, delimiter=delimiter) if not is_empty(cells))
    except csv.Error:
        return  # a cell without end: told when the rows are read in earnest


def _fit(sample: str, delimiter: str, wanted: Collection[str]) -> _Fit:
    rows = sample_rows(sample, delimiter)
    header = [clean_name(name) for name in next(rows, [])]
    sizes = [len(cells) for cells in islice(rows, _JUDGED_ROWS)][:-1] or [len(header)]
    even = sum(size == len(header) for size in sizes) >= 0.9 * len(sizes)
    return _Fit(sum(name in wanted for name in header), even, len(header))
