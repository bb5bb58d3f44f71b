"""Membership rows as CSV text: the columns, the two presets, and the guard against formulas.

A page is written column by column: what nearly every cell does not need (quotes to double, a formula to disarm, an
exponent to spell out) is looked for once per column in its joined text, and done cell by cell only where it was found.
`csv.writer` looks at every character of every cell: it writes the same bytes and takes about twice as long.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter

from memberships_export.domain.export.record import Preset
from memberships_export.domain.source.page import Membership


class Kind(StrEnum):
    """What a column holds; only text can carry a formula."""

    NUMBER = "number"  # typed by the decoder, so -5.00 stays a number
    TEXT = "text"  # whatever the memberships API sent, dates included


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its header, the field of Membership it shows, and its kind."""

    header: str
    field: str
    kind: Kind = Kind.TEXT


COLUMNS = (
    Column("id", "id", Kind.NUMBER),
    Column("uuid", "uuid"),
    Column("name", "name"),
    Column("userId", "user_id"),
    Column("recurringPrice", "recurring_price", Kind.NUMBER),
    Column("validFrom", "valid_from"),
    Column("validUntil", "valid_until"),
    Column("state", "state"),
    Column("assignedBy", "assigned_by"),
    Column("paymentMethod", "payment_method"),
    Column("billingInterval", "billing_interval"),
    Column("billingPeriods", "billing_periods", Kind.NUMBER),
)

# Spreadsheets run a cell as a formula when it begins with one of these (the wide ones in East Asian versions).
_TRIGGERS_IN_LINE = r"=+\-@\t\0\uff1d\uff0b\uff0d\uff20\u30fc"
_TRIGGERS = rf"{_TRIGGERS_IN_LINE}\r\n"
# What an importer may strip before it looks: controls, blanks, zero-width and bidi marks, fillers, and the quote.
_IGNORED = (
    r"\x01-\x08\x0b\x0c\x0e-\x20\x22\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    r"\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Apostrophes come first: a cell that looks guarded already gets one more, or taking one off would change it.
_FORMULA = rf"'*+[{_IGNORED}]*+[{_TRIGGERS}]"
_FORMULA_IN_LINE = rf"'*+[{_IGNORED}]*+[{_TRIGGERS_IN_LINE}]"
_GUARD_GOES_HERE = re.compile(rf"\A(?={_FORMULA})|(?<=[\r\n])(?={_FORMULA_IN_LINE})")
_GUARD = re.compile(rf"\A'(?={_FORMULA})|(?<=[\r\n])'(?={_FORMULA_IN_LINE})")
_MAYBE_FORMULA = re.compile(rf"\n{_FORMULA}")  # begins with one literal character: that is what makes it fast


def csv_header(preset: Preset) -> bytes:
    """Return the first line of the file, after a byte order mark if it is for a spreadsheet."""
    line = _lines([[column.header] for column in COLUMNS], preset)
    return b"\xef\xbb\xbf" + line if preset is Preset.SPREADSHEET else line


def csv_rows(rows: Sequence[Membership], preset: Preset) -> bytes:
    """Return the lines of the rows: UTF-8, CRLF after each, None as an empty cell, prices without exponent."""
    if not rows:
        return b""
    return _lines([_cells(column, rows, preset) for column in COLUMNS], preset)


def guard(cell: str) -> str:
    r"""Put an apostrophe before every line of the cell that a spreadsheet could run as a formula.

    A line is guarded when, after apostrophes and characters that importers strip, it begins with one of
    `= + - @` TAB NUL, a full-width `= + - @` or U+30FC; the cell itself also when it begins with CR or LF.
    Values that only look like a formula are guarded too ("-1.50", "+44 20 7946 0000", "@handle", "- note"): as text
    they cannot be told apart. `unguard(guard(cell)) == cell` for every cell.
    """
    return _GUARD_GOES_HERE.sub("'", cell)


def unguard(cell: str) -> str:
    """Take off what `guard` put on; a cell without guard stays as it is."""
    return _GUARD.sub("", cell)


def _cells(column: Column, rows: Sequence[Membership], preset: Preset) -> list[str]:
    values = map(attrgetter(column.field), rows)
    cells = ["" if value is None else str(value) for value in values]
    if column.kind is Kind.NUMBER:
        return _without_exponent(cells)
    if preset is Preset.SPREADSHEET:
        return _doubled_quotes(_guarded(cells))
    return _quoted_if_needed(cells)


def _without_exponent(cells: list[str]) -> list[str]:
    if "E" not in "".join(cells):
        return cells
    return [f"{Decimal(cell):f}" if "E" in cell else cell for cell in cells]


def _guarded(cells: list[str]) -> list[str]:
    # Empty cells are left out: the line feed after one would look like a cell that begins with a line feed.
    text = "\n" + "\n".join(filter(None, cells))
    return list(map(guard, cells)) if "\r" in text or _MAYBE_FORMULA.search(text) else cells


def _doubled_quotes(cells: list[str]) -> list[str]:
    return [cell.replace('"', '""') for cell in cells] if '"' in "".join(cells) else cells


def _quoted_if_needed(cells: list[str]) -> list[str]:
    if not _needs_quotes("".join(cells)):
        return cells
    return ['"' + cell.replace('"', '""') + '"' if _needs_quotes(cell) else cell for cell in cells]


def _needs_quotes(text: str) -> bool:
    return "," in text or '"' in text or "\n" in text or "\r" in text


def _lines(columns: Sequence[Sequence[str]], preset: Preset) -> bytes:
    # A spreadsheet gets every field quoted: one that splits at ";" must not find a new cell inside a field.
    quote = '"' if preset is Preset.SPREADSHEET else ""
    between_cells, between_rows = f"{quote},{quote}", f"{quote}\r\n{quote}"
    lines = between_rows.join(map(between_cells.join, zip(*columns, strict=True)))
    return f"{quote}{lines}{quote}\r\n".encode()
