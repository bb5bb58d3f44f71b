"""What the demo makes of the file that arrived: nothing that differs from the memberships gets past it."""

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from memberships_api.membership import Membership, row_of
from memberships_api.sample import sample_memberships
from memberships_export.entrypoints.cli.ask.answers import Answer
from memberships_export.entrypoints.cli.demo.comparing import FIELDS
from memberships_export.entrypoints.cli.demo.content import checked_content
from memberships_export.entrypoints.cli.demo.reading import rows_of
from memberships_export.entrypoints.cli.demo.shapes import memberships_in_order
from memberships_export.entrypoints.cli.exits import CommandError
from tests.unit.cli.stub_api import an_answer

ROWS = 12
NAMES = ("id", "name", "recurringPrice", "validFrom", "validUntil")
Write = Callable[[Path, Sequence[Sequence[Any]]], dict[str, Any]]


def cells() -> list[list[Any]]:
    places = [FIELDS.index(name) for name in NAMES]
    return [[row_of(one)[at] for at in places] for one in sample_memberships(ROWS, "demo-user")]


def write_csv(path: Path, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """As for a German spreadsheet: semicolons, decimal commas, apostrophes before formulas."""
    lines = ["Nr.;Name;Preis;Von;Bis"]
    for number, name, price, start, end in rows:
        guarded = f"'{name}" if name[0] in "=+-@" else name
        texts = [str(number), guarded, str(price).replace(".", ","), start, end or ""]
        lines.append(";".join('"' + text.replace('"', '""') + '"' for text in texts))
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([*lines, ""]).encode())
    return {"format": "csv", "delimiter": ";", "guard": True}


def write_lines(path: Path, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    path.write_text("".join(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in rows))
    return {"format": "jsonl"}


def write_workbook(path: Path, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Two sheets of rows, and the one that tells about the file."""
    book = Workbook(write_only=True)
    for part in (rows[:8], rows[8:]):
        sheet = book.create_sheet()
        sheet.append(["Nr.", "Name", "Preis", "Von (Europe/Berlin)", "Bis"])
        for number, name, price, start, end in part:
            text = WriteOnlyCell(sheet, name)
            text.data_type = "s"  # and no formula
            sheet.append([number, text, float(price), datetime.fromisoformat(start), end and date.fromisoformat(end)])
    book.create_sheet("Info").append(["Zeilen", len(rows)])
    book.save(path)
    return {"format": "xlsx"}


WRITERS = [write_csv, write_lines, write_workbook]


def arrived(path: Path, write: Write, rows: Sequence[Sequence[Any]]) -> Answer:
    options = write(path, rows)
    file = {"rows": len(rows), "sha256": sha256(path.read_bytes()).hexdigest()}
    return an_answer(file=file, options={"timeZone": "Europe/Berlin", **options})


@pytest.mark.parametrize("write", WRITERS)
def test_a_file_in_any_format_is_read_and_compared_cell_by_cell(tmp_path: Path, write: Write) -> None:
    path = tmp_path / "file"
    answer = arrived(path, write, cells())

    content = checked_content(path, answer, NAMES, sample_memberships(ROWS, "demo-user"))

    assert (content.rows, content.names, len(content.first)) == (ROWS, NAMES, 5)
    assert content.headings[1] in {"Name", "name"}
    assert content.first[2][1] == 'Premium "Gold"'


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(
    "row, column, value",
    [(0, 1, "Basis"), (11, 1, "Basic?"), (3, 2, "5.00"), (4, 3, "2010-03-02"), (1, 4, None), (6, 0, 17)],
)
def test_one_cell_that_differs_is_found_out(tmp_path: Path, write: Write, row: int, column: int, value: object) -> None:
    path, rows = tmp_path / "file", cells()
    rows[row][column] = value
    answer = arrived(path, write, rows)

    with pytest.raises(CommandError, match=f"{NAMES[column]} of row {row + 1} is"):
        checked_content(path, answer, NAMES, sample_memberships(ROWS, "demo-user"))


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("there", [ROWS - 1, ROWS + 1])
def test_a_row_too_few_or_too_many_is_found_out(tmp_path: Path, write: Write, there: int) -> None:
    path = tmp_path / "file"
    answer = arrived(path, write, cells())

    with pytest.raises(CommandError, match="expected 13" if there > ROWS else "Row 12 of the file is none"):
        checked_content(path, answer, NAMES, sample_memberships(there, "demo-user"))


@pytest.mark.parametrize("write", WRITERS)
def test_a_file_of_other_bytes_is_found_out(tmp_path: Path, write: Write) -> None:
    path = tmp_path / "file"
    answer = arrived(path, write, cells())
    answer["file"]["sha256"] = "0" * 64

    with pytest.raises(CommandError, match="SHA-256"):
        checked_content(path, answer, NAMES, sample_memberships(ROWS, "demo-user"))


@pytest.mark.parametrize("write", WRITERS)
def test_a_file_without_a_row_is_one(tmp_path: Path, write: Write) -> None:
    path = tmp_path / "file"
    answer = arrived(path, write, [])

    assert checked_content(path, answer, NAMES, []).rows == 0


@pytest.mark.parametrize("cell", ["2010-01-01 01:00:00", "2010-01-01T00:00:00Z", "2010-01-01T01:00:00+01:00"])
def test_a_time_is_compared_as_the_instant_it_is(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "file"
    row = dict(zip(NAMES, cells()[0], strict=True)) | {"validFrom": cell, "id": "sub_00000001"}
    path.write_text(json.dumps(row) + "\n")
    file = {"rows": 1, "sha256": sha256(path.read_bytes()).hexdigest()}
    answer = an_answer(file=file, options={"format": "jsonl", "timeZone": "Europe/Berlin"})

    assert checked_content(path, answer, NAMES, sample_memberships(1, "demo-user")).rows == 1


def test_a_workbook_gives_back_control_characters_and_days_with_and_without_a_time(tmp_path: Path) -> None:
    path = tmp_path / "file.xlsx"
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["a"])
    sheet.append(["_x0007_", 29.5, datetime(2024, 2, 29), datetime(2024, 2, 29, 23, 59, 59), None, True])  # noqa: DTZ001
    book.create_sheet("About")
    book.save(path)

    assert list(rows_of(path, {"format": "xlsx"})) == [
        ["a"],
        ["\a", "29.5", "2024-02-29", "2024-02-29 23:59:59", "", "1"],
    ]


def test_memberships_are_the_same_in_any_order() -> None:
    """Or pages of an API would not fit together."""
    rising = list(memberships_in_order(2345, newest_first=False))

    assert list(memberships_in_order(2345, newest_first=True)) == rising[::-1]
    assert list(sample_memberships(5, "demo-user", first_id=101)) == rising[100:105]
    assert isinstance(rising[0], Membership)
