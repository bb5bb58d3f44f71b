"""Writing XLSX in tests, and what two other programs read of it."""

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.escape import unescape
from python_calamine import CalamineWorkbook

from memberships_export.domain.formats.options import Format, Options
from memberships_export.domain.formats.xlsx.sheets import Limits
from memberships_export.domain.formats.xlsx.xlsx import XlsxWriter
from memberships_export.domain.source.profile import Column
from memberships_export.domain.source.reader import Table
from tests.readers import FileOfTables, a_plan

XLSX = Options(format=Format.XLSX)
USUAL = Limits()

TEXT = Column(name="text")
Cells = Sequence[Sequence[str | None]]  # by column


def a_table(columns: Sequence[Column], cells: Cells, currencies: Sequence[Sequence[Any] | None] = ()) -> Table:
    return Table(columns, cells, currencies or [None] * len(columns))


def a_file(  # noqa: PLR0913  (each says what differs from the usual file)
    columns: Sequence[Column],
    cells: Cells,
    *,
    currencies: Sequence[Sequence[Any] | None] = (),
    options: Options = XLSX,
    page: int = 1000,
    limits: Limits = USUAL,
    compact: bool = False,
) -> bytes:
    """The whole file of these rows, which come in pages of this size."""
    plan = replace(a_plan(options, columns), compact=compact)
    writer = FileOfTables(plan, XlsxWriter(plan, limits))
    content = [writer.begin()]
    for start in range(0, len(cells[0]), page):
        piece = slice(start, start + page)
        codes = [None if column is None else column[piece] for column in currencies]
        content.append(writer.rows(a_table(columns, [column[piece] for column in cells], codes)))
    return b"".join([*content, writer.end()])


def by_openpyxl(content: bytes, sheet: int = 0) -> list[list[Any]]:
    """The rows of a sheet, the headings among them; of formulas what they gave."""
    book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    rows = book.worksheets[sheet].iter_rows(values_only=True)
    return [[unescape(value) if isinstance(value, str) else value for value in row] for row in rows]


def by_calamine(content: bytes, sheet: int = 0) -> list[list[Any]]:
    """The same by another reader; it has "" where nothing is."""
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(sheet).to_python()


def formats(content: bytes) -> list[str]:
    """The number formats of the first row below the headings."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    return [cell.number_format for cell in book.worksheets[0][2]]


def part(content: bytes, name: str) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(name).decode()


def names(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.namelist()


def corpora(shared_data: Path) -> list[str]:
    """Every text of the shared data: hostile ones, odd addresses, and real members."""
    texts = []
    for name in ("csv_formula_cases", "blns", "isemail_cases"):
        texts += _texts_in(json.loads((shared_data / f"{name}.json").read_text("utf-8")))
    texts += (shared_data / "csv_injection_payloadbox.txt").read_text("utf-8").splitlines()
    for path in sorted((shared_data / "csv-spectrum" / "json").glob("*.json")):
        texts += _texts_in(json.loads(path.read_text("utf-8")))
    for path in sorted((shared_data / "climbing_gym").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as rows:
            texts += [cell for row in csv.reader(rows) for cell in row]
    return texts


def _texts_in(value: Any) -> list[str]:  # noqa: ANN401  (whatever JSON holds)
    if isinstance(value, dict):
        return [text for one in value.items() for text in _texts_in(list(one))]
    if isinstance(value, list):
        return [text for one in value for text in _texts_in(one)]
    return [value] if isinstance(value, str) else []
