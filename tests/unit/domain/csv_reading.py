"""How the tests of the CSV format make rows and read them back: with `csv.reader`, which shares no code with ours."""

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from memberships_export.domain.formats.guard import guard
from memberships_export.domain.formats.options import Preset
from tests.factories import a_membership, a_page
from tests.readers import FileOfTables, csv_writer, own_reader, own_table

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


Row = dict[str, Any]


def a_row(**changes: Any) -> Row:  # noqa: ANN401  (fields of the row)
    """One row as it is on the wire; its price as the JSON that is sent."""
    row = a_membership(1, **changes)
    price = row["recurringPrice"]
    return row | {
        "recurringPrice": price if isinstance(price, msgspec.Raw) else msgspec.Raw(msgspec.json.encode(price))
    }


def head(form: FileOfTables) -> bytes:
    """The line with the names of the columns."""
    return form.begin()


def lines(form: FileOfTables, rows: Sequence[Row]) -> bytes:
    """The lines of these rows."""
    return form.rows(own_table(a_page(rows)))


def read(text: bytes) -> list[list[str]]:
    """The cells as any RFC 4180 reader sees them."""
    return list(csv.reader(io.StringIO(text.decode(), newline=""), strict=True))


def read_file(rows: Sequence[Row], preset: Preset) -> list[dict[str, str]]:
    """Write a whole file and read it back as records by header."""
    form = csv_writer(preset)
    text = (head(form) + lines(form, rows)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def written_cell_by_cell(rows: Sequence[Row], preset: Preset) -> bytes:
    """The same lines from `csv.writer`, one cell at a time: what `Csv.rows` must equal."""
    spreadsheet = preset is Preset.SPREADSHEET
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL if spreadsheet else csv.QUOTE_MINIMAL)
    for row in rows:
        values = [row[column.name] for column in own_reader().profile.columns]
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
