"""Membership rows as CSV text, by all that was chosen about it.

A page is written column by column: what nearly every cell does not need (quotes to double, a formula to disarm) is
looked for once per column in its joined text, and done cell by cell only where it was found.
`csv.writer` looks at every character of every cell: it writes the same bytes and takes about twice as long.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import ne
from typing import ClassVar, cast

from memberships_export.domain.formats.file_format import Piece, Plan
from memberships_export.domain.formats.guard import guarded
from memberships_export.domain.formats.instants import times_of
from memberships_export.domain.formats.options import Options
from memberships_export.domain.formats.repeated import Repeated, repeat
from memberships_export.domain.source.columns.values import is_date, is_instant, is_number
from memberships_export.domain.source.profile import Column
from memberships_export.domain.source.reader import Table


class Csv:
    """The FileFormat: RFC 4180, UTF-8, CRLF after each line."""

    ending: ClassVar[str] = "csv"
    media_type: ClassVar[str] = "text/csv"
    content_type: ClassVar[str] = "text/csv; charset=utf-8"

    def pieces(self, options: Options, columns: Sequence[Column]) -> "CsvPieces":  # noqa: ARG002  (a table has them)
        """Return what makes pieces: lines of text."""
        return CsvPieces(options)

    def writer(self, plan: Plan) -> "CsvWriter":
        """Begin a file."""
        return CsvWriter(plan)


@dataclass(slots=True)
class CsvWriter:
    """The FileWriter: lines behind lines."""

    plan: Plan
    guarded: int = 0

    def begin(self) -> bytes:
        """Return the first line of the file, after a byte order mark if it is to have one."""
        line = CsvPieces(self.plan.options).headings(self.plan.headings)
        return b"\xef\xbb\xbf" + line if self.plan.options.bom else line

    def add(self, piece: Piece) -> bytes:
        """Return the lines of the piece."""
        self.guarded += piece.guarded
        return piece.content

    def end(self) -> bytes:
        """Return nothing: the last line ended with CRLF."""
        return b""


@dataclass(frozen=True, slots=True)
class CsvPieces:
    """The PieceMaker. What is not for people has fields quoted only where they have to be."""

    options: Options
    _repeated: dict[int, Repeated | None] = field(default_factory=dict)  # by place; None: its texts differ

    def headings(self, headings: Sequence[str]) -> bytes:
        """Return the line of the headings."""
        return self._lines([self._quoted(guarded([text]) if self.options.guard else [text], text) for text in headings])

    def piece(self, tables: Iterable[Table]) -> Piece:
        """Return the lines of the rows: null and missing as an empty cell."""
        rows, guarded, content = 0, 0, list[bytes]()
        for table in tables:
            both = zip(table.columns, table.cells, strict=True)
            columns = [self._cells(place, *column) for place, column in enumerate(both)]
            rows += table.rows
            guarded += sum(count for _, count in columns)
            content.append(self._lines([cells for cells, _ in columns]))
        return Piece(rows=rows, guarded=guarded, content=b"".join(content))

    def _cells(self, place: int, column: Column, texts: Sequence[str | None]) -> tuple[Sequence[str], int]:
        """Return the fields of a column, and how many of them were guarded."""
        if is_number(column):  # and so no formula: -5.00 stays one
            return self._numbers(column, texts), 0
        if is_instant(column) or is_date(column):  # and so nothing to guard or to quote
            return _filled(times_of(column, texts, self.options)), 0
        if repeated := self._known(place, texts):
            return repeated.fields(texts), repeated.guarded(texts)
        try:
            return self._texts(cast("Sequence[str]", texts))
        except TypeError:  # some are None: the exception, not looked for in advance
            return self._texts(_filled(texts))

    def _known(self, place: int, texts: Sequence[str | None]) -> Repeated | None:
        """Return what is known of a column whose texts come again and again; its first rows tell whether they do."""
        repeated = self._repeated.get(place)
        if place not in self._repeated:
            self._repeated[place] = Repeated(self._field) if repeat(texts) else None
        elif repeated and repeated.too_many:
            repeated = self._repeated[place] = None
        return repeated

    def _field(self, text: str) -> tuple[str, int]:
        (field,), guarded = self._texts([text])
        return field, guarded

    def _numbers(self, column: Column, texts: Sequence[str | None]) -> Sequence[str]:
        numbers = cast("Sequence[str]", texts) if column.required else _filled(texts)
        if self.options.decimal == "." or column.type == "integer":
            return numbers
        numbers = "\n".join(numbers).replace(".", self.options.decimal).split("\n")
        return self._quoted(numbers, self.options.decimal)

    def _texts(self, cells: Sequence[str]) -> tuple[Sequence[str], int]:
        text = "".join(cells)  # first, as it finds at once that a cell is None
        safe = guarded(cells) if self.options.guard else cells
        return self._quoted(safe, text), 0 if safe is cells else sum(map(ne, cells, safe))

    def _quoted(self, cells: Sequence[str], text: str) -> Sequence[str]:
        """Make fields of cells; `text` has all characters of theirs that matter. For people, `_lines` quotes all."""
        if self.options.for_people:
            return [cell.replace('"', '""') for cell in cells] if '"' in text else cells
        delimiter = self.options.delimiter
        if not _needs_quotes(text, delimiter):
            return cells
        return ['"' + cell.replace('"', '""') + '"' if _needs_quotes(cell, delimiter) else cell for cell in cells]

    def _lines(self, columns: Sequence[Sequence[str]]) -> bytes:
        # All fields are quoted for people, so that a blank at the start or end, or an empty one, survives.
        quote = '"' if self.options.for_people else ""
        if not quote and len(columns) == 1:  # an empty line would be no row
            columns = [[cell or '""' for cell in columns[0]]]
        between_cells, between_rows = f"{quote}{self.options.delimiter}{quote}", f"{quote}\r\n{quote}"
        lines = between_rows.join(map(between_cells.join, zip(*columns, strict=True)))
        return f"{quote}{lines}{quote}\r\n".encode()


def _filled(texts: Sequence[str | None]) -> Sequence[str]:
    return [text or "" for text in texts]


def _needs_quotes(text: str, delimiter: str) -> bool:
    return delimiter in text or '"' in text or "\n" in text or "\r" in text
