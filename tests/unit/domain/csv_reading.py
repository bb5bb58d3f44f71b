"""How the tests of the CSV format make rows and read them back: with `csv.reader`, which shares no code with ours."""

import csv
import io
import re
import unicodedata
from decimal import Decimal
from typing import Any

import msgspec

from memberships_export.domain.formats.csv import COLUMNS, Csv
from memberships_export.domain.formats.guard import guard
from memberships_export.domain.formats.options import Preset
from memberships_export.domain.source.page import Membership
from tests.factories import a_membership

TEXT_HEADERS = (
    "uuid",
    "name",
    "userId",
    "validFrom",
    "validUntil",
    "state",
    "assignedBy",
    "paymentMethod",
    "billingInterval",
)
TRIGGERS = "=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20\u30fc"
BLANK = "".join(c for c in map(chr, range(0x3001)) if unicodedata.category(c) in {"Cc", "Zs", "Zl", "Zp"})
ZERO_WIDTH = "\xad\u034f\u180e\u200b\u200c\u200d\u2060\u2061\ufe0f\ufeff"
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2069"
IGNORED = "".join(sorted(set(BLANK + ZERO_WIDTH + BIDI + '"') - set(TRIGGERS)))


def a_row(**changes: Any) -> Membership:  # noqa: ANN401  (fields of the row)
    """One decoded row; fields by their wire names."""
    return msgspec.json.decode(msgspec.json.encode(a_membership(1, **changes)), type=Membership)


def read(lines: bytes) -> list[list[str]]:
    """The cells as any RFC 4180 reader sees them."""
    return list(csv.reader(io.StringIO(lines.decode(), newline=""), strict=True))


def read_file(rows: list[Membership], preset: Preset) -> list[dict[str, str]]:
    """Write a whole file and read it back as records by header."""
    text = (Csv(preset).begin() + Csv(preset).rows(rows)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def written_cell_by_cell(rows: list[Membership], preset: Preset) -> bytes:
    """The same lines from `csv.writer`, one cell at a time: what `Csv.rows` must equal."""
    spreadsheet = preset is Preset.SPREADSHEET
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL if spreadsheet else csv.QUOTE_MINIMAL)
    for row in rows:
        values = [getattr(row, column.field) for column in COLUMNS]
        guarded = [guard(value) if spreadsheet and isinstance(value, str) else value for value in values]
        writer.writerow([_amount(value) if isinstance(value, msgspec.Raw) else value for value in guarded])
    return out.getvalue().encode()


def _amount(price: msgspec.Raw) -> str:
    return f"{msgspec.json.decode(price, type=Decimal):f}"


def could_run(cell: str) -> bool:
    """Whether a spreadsheet could take the cell, or a piece of it after a line end or a separator, for a formula."""
    pieces = [cell[found.end() :] for found in re.finditer(r"[\r\n,;|\t]", cell)]
    within_a_line = set(TRIGGERS) - {"\r", "\n"}
    return runs(cell) or any(piece.lstrip(IGNORED)[:1] in within_a_line for piece in pieces)


def runs(cell: str) -> bool:
    """Whether a program that takes this text for a whole cell could take it for a formula."""
    return cell.lstrip(IGNORED)[:1] in set(TRIGGERS)
