"""Membership rows as CSV text: its presets, and the guard against formulas.

A page is written column by column: what nearly every cell does not need (quotes to double, a formula to disarm) is
looked for once per column in its joined text, and done cell by cell only where it was found.
`csv.writer` looks at every character of every cell: it writes the same bytes and takes about twice as long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

from memberships_export.domain.formats.file_format import Plan
from memberships_export.domain.formats.guard import guarded
from memberships_export.domain.formats.options import Preset
from memberships_export.domain.source.columns.values import is_number
from memberships_export.domain.source.profile import Column
from memberships_export.domain.source.reader import Table


class Csv:
    """The FileFormat: RFC 4180, UTF-8, CRLF after each line."""

    ending: ClassVar[str] = "csv"
    media_type: ClassVar[str] = "text/csv"
    content_type: ClassVar[str] = "text/csv; charset=utf-8"

    def writer(self, plan: Plan) -> "CsvWriter":
        """Begin a file."""
        return CsvWriter(plan)


@dataclass(slots=True)
class CsvWriter:
    """The FileWriter."""

    plan: Plan
    guarded: int = 0

    def begin(self) -> bytes:
        """Return the first line of the file, after a byte order mark if it is for a spreadsheet."""
        line = self._lines([self._texts([heading]) for heading in self.plan.headings])
        return b"\xef\xbb\xbf" + line if self.plan.options.bom else line

    def rows(self, table: Table) -> bytes:
        """Return the lines of the rows: null and missing as an empty cell."""
        cells = [self._cells(column, texts) for column, texts in zip(table.columns, table.cells, strict=True)]
        return self._lines(cells) if cells[0] else b""

    def end(self) -> bytes:
        """Return nothing: the last line ended with CRLF."""
        return b""

    @property
    def _quoted(self) -> bool:
        # A spreadsheet gets every field quoted, so that a blank at its start or end, or an empty one, survives.
        return self.plan.options.preset is not Preset.RAW

    def _cells(self, column: Column, texts: Sequence[str | None]) -> Sequence[str]:
        if is_number(column):  # and so no formula: -5.00 stays one
            return cast("Sequence[str]", texts) if column.required else _filled(texts)
        try:
            return self._texts(cast("Sequence[str]", texts))
        except TypeError:  # some are None: the exception, not looked for in advance
            return self._texts(_filled(texts))

    def _texts(self, cells: Sequence[str]) -> Sequence[str]:
        if self._quoted:
            quotes = '"' in "".join(cells)  # first, as it finds at once that a cell is None
            return _doubled_quotes(guarded(cells)) if quotes else guarded(cells)
        return _quoted_if_needed(cells)

    def _lines(self, columns: Sequence[Sequence[str]]) -> bytes:
        quote = '"' if self._quoted else ""
        between_cells, between_rows = f"{quote},{quote}", f"{quote}\r\n{quote}"
        lines = between_rows.join(map(between_cells.join, zip(*columns, strict=True)))
        return f"{quote}{lines}{quote}\r\n".encode()


def _filled(texts: Sequence[str | None]) -> Sequence[str]:
    return [text or "" for text in texts]


def _doubled_quotes(cells: Sequence[str]) -> Sequence[str]:
    return [cell.replace('"', '""') for cell in cells]


def _quoted_if_needed(cells: Sequence[str]) -> Sequence[str]:
    if not _needs_quotes("".join(cells)):
        return cells
    return ['"' + cell.replace('"', '""') + '"' if _needs_quotes(cell) else cell for cell in cells]


def _needs_quotes(text: str) -> bool:
    return "," in text or '"' in text or "\n" in text or "\r" in text
