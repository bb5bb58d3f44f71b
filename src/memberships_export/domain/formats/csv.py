"""Membership rows as CSV text: the columns, the two presets, and the guard against formulas.

A page is written column by column: what nearly every cell does not need (quotes to double, a formula to disarm) is
looked for once per column in its joined text, and done cell by cell only where it was found.
`csv.writer` looks at every character of every cell: it writes the same bytes and takes about twice as long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import ClassVar

from memberships_export.domain.formats.guard import could_need_guard, guard
from memberships_export.domain.formats.options import Preset
from memberships_export.domain.source.money import written_out
from memberships_export.domain.source.page import Membership


class Kind(StrEnum):
    """What a column holds; only text can carry a formula."""

    NUMBER = "number"  # checked to be one, so -5.00 stays a number
    TEXT = "text"  # whatever the memberships API sent, dates included


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its header, the field of Membership it shows, and its kind."""

    header: str
    field: str
    kind: Kind = Kind.TEXT


_PRICE = "recurring_price"
COLUMNS = (
    Column("id", "id", Kind.NUMBER),
    Column("uuid", "uuid"),
    Column("name", "name"),
    Column("userId", "user_id"),
    Column("recurringPrice", _PRICE, Kind.NUMBER),
    Column("validFrom", "valid_from"),
    Column("validUntil", "valid_until"),
    Column("state", "state"),
    Column("assignedBy", "assigned_by"),
    Column("paymentMethod", "payment_method"),
    Column("billingInterval", "billing_interval"),
    Column("billingPeriods", "billing_periods", Kind.NUMBER),
)


_GUARD_EXPLAINED = (
    "The file is made for spreadsheet programs: text that such a program could take for a formula (it begins with =, "
    "+, - or @, for example, or has one of these right after a comma, semicolon, bar or tab) has an apostrophe (') in "
    "front of it, and removing that apostrophe gives the original text."
)


@dataclass(frozen=True, slots=True)
class Csv:
    """The FileFormat: RFC 4180, UTF-8, CRLF after each line, the same columns always."""

    preset: Preset
    ending: ClassVar[str] = "csv"
    media_type: ClassVar[str] = "text/csv"
    content_type: ClassVar[str] = "text/csv; charset=utf-8"
    layout: ClassVar[str] = "one row each, below a row with the column names"

    @property
    def notes(self) -> Sequence[str]:
        """Explain the apostrophes, where there may be some."""
        return (_GUARD_EXPLAINED,) if self.preset is Preset.SPREADSHEET else ()

    def begin(self) -> bytes:
        """Return the first line of the file, after a byte order mark if it is for a spreadsheet."""
        line = _lines([[column.header] for column in COLUMNS], self.preset)
        return b"\xef\xbb\xbf" + line if self.preset is Preset.SPREADSHEET else line

    def rows(self, rows: Sequence[Membership]) -> bytes:
        """Return the lines of the rows: None as an empty cell, prices without exponent."""
        if not rows:
            return b""
        return _lines([_cells(column, rows, self.preset) for column in COLUMNS], self.preset)

    def end(self) -> bytes:
        """Return nothing: the last line ended with CRLF."""
        return b""


def _cells(column: Column, rows: Sequence[Membership], preset: Preset) -> list[str]:
    values = map(attrgetter(column.field), rows)
    if column.field == _PRICE:
        return written_out(values)
    cells = ["" if value is None else str(value) for value in values]
    if column.kind is Kind.NUMBER:
        return cells
    if preset is Preset.SPREADSHEET:
        return _doubled_quotes(_guarded(cells))
    return _quoted_if_needed(cells)


def _guarded(cells: list[str]) -> list[str]:
    return list(map(guard, cells)) if could_need_guard(cells) else cells


def _doubled_quotes(cells: list[str]) -> list[str]:
    return [cell.replace('"', '""') for cell in cells] if '"' in "".join(cells) else cells


def _quoted_if_needed(cells: list[str]) -> list[str]:
    if not _needs_quotes("".join(cells)):
        return cells
    return ['"' + cell.replace('"', '""') + '"' if _needs_quotes(cell) else cell for cell in cells]


def _needs_quotes(text: str) -> bool:
    return "," in text or '"' in text or "\n" in text or "\r" in text


def _lines(columns: Sequence[Sequence[str]], preset: Preset) -> bytes:
    # A spreadsheet gets every field quoted, so that a blank at its start or end, or an empty one, survives its import.
    quote = '"' if preset is Preset.SPREADSHEET else ""
    between_cells, between_rows = f"{quote},{quote}", f"{quote}\r\n{quote}"
    lines = between_rows.join(map(between_cells.join, zip(*columns, strict=True)))
    return f"{quote}{lines}{quote}\r\n".encode()
