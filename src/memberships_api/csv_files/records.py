"""The text of a CSV file as rows of cells, each with the line it starts on."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from memberships_api.csv_files.delimiters import NAMES, clean_name, delimiter_line, is_empty
from memberships_api.csv_files.problems import ImportRefused, Notices, Problem

_ENDLESS = "a line without end"
_LONGEST_LINE = 1 << 22  # characters; a file without line ends must not be read into memory at once


@dataclass(frozen=True, slots=True)
class Record:
    """One row, with as many cells as the header."""

    line: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """The names of the columns, and the rows in order, a Problem in place of each malformed one."""

    header: Sequence[str]
    rows: Iterator[Record | Problem]


def read_table(text: TextIO, delimiter: str, notices: Notices) -> Table:
    """Read the header now and the rows when they are asked for. Raises ImportRefused when there is no header."""
    lines = _Lines(text)
    rows = _filled(_numbered(lines, delimiter), notices)
    first = next(rows, None)
    if first is None:
        raise ImportRefused([Problem("The file is empty: its first line must name the columns.")])
    if isinstance(first, Problem):
        raise ImportRefused([first])
    header = lines.header = [clean_name(name) for name in first.cells]
    return Table(header, _even(rows, header, delimiter))


class _Lines(Iterator[str]):
    """The lines of a text; `row` holds those of the row that is being read, which starts on line `first`."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._count = 0
        self.row: list[str] = []
        self.header: Sequence[str] = ()

    @property
    def first(self) -> int:
        return self._count + 1 - len(self.row)

    def __next__(self) -> str:
        line = self._read()
        if self._count == 1:
            line = line.lstrip("\ufeff")
            if delimiter_line(line) is not None:
                line = self._read()
        if not line:
            raise StopIteration
        self.row.append(line)
        return line

    def _read(self) -> str:
        line = self._text.readline(_LONGEST_LINE)
        if len(line) == _LONGEST_LINE:
            raise csv.Error(_ENDLESS)
        self._count += bool(line)
        return line


def _numbered(lines: _Lines, delimiter: str) -> Iterator[Record | Problem]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.row.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, OSError, UnicodeError) as error:
            wrong = _what_is_wrong(error, lines, delimiter)
            yield Problem(f"{wrong} Nothing was read from here on.", lines.first)
            return
        yield Record(lines.first, cells)  # a quoted cell may hold line breaks: a row is more than one line then


def _filled(rows: Iterator[Record | Problem], notices: Notices) -> Iterator[Record | Problem]:
    for row in rows:
        if isinstance(row, Problem) or not is_empty(row.cells):
            yield row
        elif len(row.cells) > 1:
            notices.add("Rows without any value were left out", row.line)


def _even(rows: Iterator[Record | Problem], header: Sequence[str], delimiter: str) -> Iterator[Record | Problem]:
    for row in rows:
        if isinstance(row, Problem) or len(row.cells) == len(header):
            yield row
        else:
            separators = NAMES.get(delimiter, repr(delimiter))
            sizes = f"the row has {len(row.cells)} cells, the header {len(header)}"
            yield Problem(f"{sizes}: put quotes around {separators} in cells.", row.line)


def _what_is_wrong(error: Exception, lines: _Lines, delimiter: str) -> str:
    if isinstance(error, OSError):
        return f"the file cannot be read further: {error.strerror}."
    if isinstance(error, UnicodeError):
        return f"from about here the file is not {getattr(error, 'encoding', 'text')}: say --encoding."
    cell = _named_cell(_faulty_cell("".join(lines.row), delimiter), lines.header)
    if str(error) == _ENDLESS:
        return f"a line has more than {_LONGEST_LINE:,} characters: end each row with a line break."
    if "field limit" in str(error):
        most = f"{csv.field_size_limit():,}"
        return f"{cell} has more than {most} characters: shorten it, or close its quote if that is missing."
    if "end of data" in str(error):
        return f"this is not CSV: {cell} begins with a quote that is never closed: close it, or double it."
    return f"this is not CSV: {cell} goes on after its closing quote: double the quotes that belong to the text."


def _named_cell(number: int, header: Sequence[str]) -> str:
    return f"the cell in column {header[number - 1]!r}" if number <= len(header) else f"cell {number} of the row"


def _faulty_cell(row: str, delimiter: str) -> int:
    """Count to the cell with which a reader cannot be content."""
    mark, longest = re.escape(delimiter), csv.field_size_limit()
    cell = re.compile(rf'(?P<text>"[^"]*(?:""[^"]*)*(?P<closed>")?|[^{mark}\r\n]*)(?P<end>{mark}|)')
    number = at = 0
    while found := cell.match(row, at):
        number, at = number + 1, found.end()
        # A quoted cell that is neither closed nor followed by a delimiter has no `end` either.
        if len(found["text"]) > longest or not found["end"]:
            break
    return number
