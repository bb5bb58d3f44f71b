"""The file XLSX around its cells: sheets, parts, limits, and what it says about itself."""

import io
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import openpyxl
import pytest

from memberships_export.domain.errors import LimitExceeded
from memberships_export.domain.formats.file_format import Plan
from memberships_export.domain.formats.formats import every_format, file_format
from memberships_export.domain.formats.options import FilterValue, Format, Options, Preset, of_preset
from memberships_export.domain.formats.xlsx import archive
from memberships_export.domain.formats.xlsx.sheets import Limits
from memberships_export.domain.formats.xlsx.titles import title
from memberships_export.domain.source.profile import Column
from memberships_export.domain.source.reader import Table
from tests.factories import a_page
from tests.readers import FileOfTables, a_plan, own_table
from tests.unit.domain.csv_reading import a_row
from tests.unit.domain.xlsx_reading import TEXT, XLSX, a_file, a_table, by_calamine, by_openpyxl, names, part

COLUMNS = [TEXT, Column(name="number", type="integer"), Column(name="day", type="date")]
CELLS: list[list[str | None]] = [["a", "b & c", None], ["1", "2", "3"], ["2024-01-01", None, "1066-10-14"]]
# The order of the schema, sml.xsd of ECMA-376: what we write of it.
ORDER = {
    "xl/worksheets/sheet1.xml": ["sheetViews", "sheetFormatPr", "cols", "sheetData", "autoFilter"],
    "xl/worksheets/sheet2.xml": ["sheetViews", "sheetFormatPr", "cols", "sheetData"],
    "xl/workbook.xml": ["bookViews", "sheets", "definedNames"],
    "xl/styles.xml": [
        "numFmts",
        "fonts",
        "fills",
        "borders",
        "cellStyleXfs",
        "cellXfs",
        "cellStyles",
        "dxfs",
        "tableStyles",
    ],
}


def written(plan: Plan, *tables: Table) -> bytes:
    writer = FileOfTables(plan)
    return b"".join([writer.begin(), *map(writer.rows, tables), writer.end()])


def raw_file(options: Options, *tables: Table) -> bytes:
    writer = FileOfTables(a_plan(options, tables[0].columns))
    return b"".join([writer.begin(), *map(writer.rows, tables), writer.end()])


def sheets(content: bytes) -> list[str]:
    return openpyxl.load_workbook(io.BytesIO(content)).sheetnames


def bold(content: bytes) -> list[Any]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return [cell.value for sheet in book.worksheets for row in sheet.iter_rows() for cell in row if cell.font.b]


# --- What a reader sees -----------------------------------------------------------------------------------------------


def test_the_headings_are_bold_stay_in_sight_and_have_buttons_to_filter_by() -> None:
    content = written(replace(a_plan(XLSX, COLUMNS), headings=["Text <&>", "Zahl", "Tag"]), a_table(COLUMNS, CELLS))

    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    assert by_openpyxl(content)[0] == by_calamine(content)[0] == ["Text <&>", "Zahl", "Tag"]
    assert bold(content)[:3] == ["Text <&>", "Zahl", "Tag"]
    assert sheet.sheet_view.pane is not None
    assert (sheet.freeze_panes, sheet.sheet_view.pane.state, sheet.auto_filter.ref) == ("A2", "frozen", "A1:C4")
    book = part(content, "xl/workbook.xml").replace("&#x27;", "'")
    assert 'localSheetId="0" hidden="1">\'Memberships\'!$A$1:$C$4<' in book


def test_columns_are_as_wide_as_what_is_usual_in_them_and_their_headings() -> None:
    columns = [Column(name="uuid"), Column(name="day", type="date"), Column(name="at", type="epoch"), TEXT]
    plan = replace(a_plan(XLSX, columns), headings=["uuid", "day", "at", "A heading of more characters than texts"])
    sheet = openpyxl.load_workbook(io.BytesIO(written(plan))).worksheets[0]

    widths = [sheet.column_dimensions[letter].width for letter in "ABCD"]
    assert widths == [38, 12, 21, len(plan.headings[3]) + 4]


def test_a_second_sheet_tells_what_the_file_is_in_the_zone_of_the_reader() -> None:
    plan = a_plan(Options(format=Format.XLSX, time_zone="Europe/Berlin"), [TEXT])
    facts: list[tuple[str, str | int | datetime]] = [
        ("Requested", datetime(2024, 7, 1, 22, 30, 15, 999, tzinfo=UTC)),
        ("Rows", 1),
        ("Zone", "Europe/Berlin"),
    ]
    content = written(replace(plan, about=replace(plan.about, facts=facts)), a_table([TEXT], [["a"]]))

    assert sheets(content) == ["Memberships", "About"]
    assert by_openpyxl(content, 1)[:3] == [
        ["Requested", datetime(2024, 7, 2, 0, 30, 15)],  # noqa: DTZ001  (as Excel has it: local)
        ["Rows", 1],
        ["Zone", "Europe/Berlin"],
    ]


def test_without_rows_there_are_headings() -> None:
    content = a_file(COLUMNS, [[], [], []])

    assert by_openpyxl(content) == [["text", "number", "day"]]
    assert by_openpyxl(written(a_plan(XLSX, COLUMNS))) == [["text", "number", "day"]]
    assert openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].auto_filter.ref == "A1:C1"


def test_one_column_with_nothing_in_it_keeps_its_rows() -> None:
    assert part(a_file([TEXT], [[None, None]]), "xl/worksheets/sheet1.xml").count("<row><c/></row>") == 2


# --- The same rows as plain CSV ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_the_checksum_is_that_of_a_raw_export_of_the_same_rows(zone: str) -> None:
    columns = [*COLUMNS, Column(name="at", type="datetime")]
    tables = [a_table(columns, [*CELLS, ["2024-07-01T10:00:00Z", None, "2024-07-01T10:00:00.5Z"]])] * 2
    chosen: Any = {"columns": ("text", "number", "day", "at"), "filters": (FilterValue("state", "active"),)}

    content = written(a_plan(Options(format=Format.XLSX, time_zone=zone, language="de", **chosen), columns), *tables)

    raw = raw_file(replace(of_preset(Preset.RAW), time_zone=zone, **chosen), *tables)
    assert ["SHA-256", sha256(raw).hexdigest()] in by_openpyxl(content, 1)


def test_the_checksum_of_our_own_contract_is_that_of_a_raw_export() -> None:
    table = own_table(a_page([a_row(name='=a,"b"\r\n'), a_row(recurringPrice="007.50")]))

    raw = raw_file(of_preset(Preset.RAW), table)
    assert ["SHA-256", sha256(raw).hexdigest()] in by_openpyxl(written(a_plan(XLSX), table), 1)


def test_text_that_no_csv_can_hold_leaves_the_checksum_out() -> None:
    content = a_file([TEXT], [["\ud800"]])

    assert by_openpyxl(content, 1) == [["Rows", 1]]


# --- Limits of a sheet and of a file ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rows,counts", [(3, [3]), (4, [3, 1]), (6, [3, 3]), (7, [3, 3, 1])])
@pytest.mark.parametrize("page", [1, 2, 100])
def test_a_full_sheet_is_followed_by_another_one_with_the_same_headings(
    rows: int, counts: list[int], page: int
) -> None:
    content = a_file([TEXT], [[f"row {number}" for number in range(rows)]], page=page, limits=Limits(rows=3))

    found = [by_openpyxl(content, place) for place in range(len(counts))]
    assert sheets(content) == ["Memberships", *[f"Memberships {n}" for n in range(2, len(counts) + 1)], "About"]
    assert [sheet[0] for sheet in found] == [["text"]] * len(counts)
    assert [row[0] for sheet in found for row in sheet[1:]] == [f"row {number}" for number in range(rows)]
    assert [len(sheet) - 1 for sheet in found] == counts


def test_a_sheet_that_becomes_too_large_is_followed_by_another_one_wherever_pages_end() -> None:
    cells = [[("ü" if number % 3 else "x") * (number * 37 % 50) for number in range(300)]]
    files = {a_file([TEXT], cells, page=page, limits=Limits(bytes=5000)) for page in (1, 7, 300)}

    (content,) = files
    found = [row[0] or "" for place in range(len(sheets(content)) - 1) for row in by_openpyxl(content, place)[1:]]
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        sizes = [parts.getinfo(f"xl/worksheets/sheet{n}.xml").file_size for n in range(1, len(sheets(content)))]
    assert found == cells[0]
    assert (len(sizes) > 4, max(sizes) < 5200, min(sizes[:-1]) > 4500) == (True, True, True), sizes


def test_the_row_after_the_last_one_of_excel_stands_in_a_second_sheet() -> None:
    writer = FileOfTables(replace(a_plan(XLSX, [TEXT]), compact=False))
    pages = [a_table([TEXT], [["x"] * 65_536])] * 16
    content = b"".join([writer.begin(), *map(writer.rows, pages), writer.end()])

    assert sheet_rows(content, "xl/worksheets/sheet1.xml") == 2**20
    assert sheet_rows(content, "xl/worksheets/sheet2.xml") == 2
    assert "Memberships 2" in part(content, "xl/workbook.xml")
    assert '<autoFilter ref="A1:A1048576"/>' in part(content, "xl/worksheets/sheet1.xml")[-100:]


def sheet_rows(content: bytes, name: str) -> int:
    return part(content, name).count("<row>")


def test_a_file_that_would_need_the_larger_numbers_of_zip_is_refused_and_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archive, "_MOST_BYTES", 5000)
    writer = FileOfTables(a_plan(XLSX, [TEXT]))
    writer.begin()
    texts = [sha256(str(number).encode()).hexdigest() for number in range(1000)]

    with pytest.raises(LimitExceeded, match="CSV or JSON Lines, or for fewer columns"):
        writer.rows(a_table([TEXT], [texts]))


def test_a_file_that_is_given_up_leaves_nothing_behind() -> None:
    writer = FileOfTables(a_plan(XLSX, COLUMNS))
    writer.begin()
    writer.rows(a_table(COLUMNS, CELLS))
    del writer  # a warning of an object that cannot close fails the test


# --- Bytes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compact", [True, False])
def test_the_same_rows_are_the_same_bytes_however_they_come(compact: bool) -> None:  # noqa: FBT001
    count = 3000
    columns = [*COLUMNS, Column(name="a", type="minor_units"), Column(name="b", type="minor_units")]
    days = [f"2024-01-{n % 28 + 1:02}T10:00:00Z" if n % 3 else "2024-01-01" for n in range(count)]
    cells = [[f"text {n * 7919}" for n in range(count)], [str(n) for n in range(count)], days]
    cells += [[f"{n}.{n % 7}" for n in range(count)]] * 2
    codes = [["CHF", "EUR", "JPY"][n % 3] if n > 1000 else "EUR" for n in range(count)]
    currencies = [None, None, None, codes, codes[::-1]]

    files = {
        a_file(columns, cells, currencies=currencies, page=page, compact=compact) for page in (1, 64, 999, count, count)
    }

    assert len(files) == 1


def test_a_file_to_attach_is_smaller() -> None:
    cells = [[sha256(str(number).encode()).hexdigest() for number in range(2000)]]

    assert len(a_file([TEXT], cells, compact=True)) < len(a_file([TEXT], cells, compact=False))


def test_bytes_are_handed_on_while_the_file_is_written() -> None:
    writer = FileOfTables(a_plan(XLSX, [TEXT]))
    texts = [sha256(str(number).encode()).hexdigest() for number in range(5000)]

    assert writer.begin().startswith(b"PK")
    assert len(writer.rows(a_table([TEXT], [texts]))) > 100_000
    assert writer.guarded == 0


def test_each_part_is_written_forward_without_zip64_and_with_the_same_time() -> None:
    content = a_file(COLUMNS, CELLS)

    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert parts.testzip() is None
        for info in parts.infolist():
            assert (info.date_time, info.flag_bits & 8, info.extra) == ((1980, 1, 1, 0, 0, 0), 8, b""), info
            assert max(info.extract_version, info.create_version) == 20
    assert b"PK\x06\x06" not in content


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_another_program_finds_the_file_whole(tmp_path: Path) -> None:
    (tmp_path / "file.xlsx").write_bytes(a_file(COLUMNS, CELLS))

    found = subprocess.run(["unzip", "-t", str(tmp_path / "file.xlsx")], check=True, capture_output=True, text=True)  # noqa: S607

    assert "No errors" in found.stdout


# --- Parts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ORDER)
def test_elements_stand_in_the_order_of_the_schema(name: str) -> None:
    root = ET.fromstring(part(a_file(COLUMNS, CELLS), name))  # noqa: S314  (written just now)

    assert [element.tag.partition("}")[2] for element in root] == ORDER[name]


def test_each_part_is_declared_and_each_declared_part_is_there() -> None:
    content = a_file([TEXT], [["a", "b"]], limits=Limits(rows=1))
    declared = re.findall('PartName="/(.*?)"', part(content, "[Content_Types].xml"))

    assert sorted([*declared, "[Content_Types].xml", "_rels/.rels", "xl/_rels/workbook.xml.rels"]) == sorted(
        names(content)
    )
    related = re.findall('Target="(.*?)"', part(content, "xl/_rels/workbook.xml.rels"))
    assert sorted(f"xl/{target}" for target in related) == [
        name for name in sorted(declared) if re.match("xl/[sw].*[0-9s]\\.xml", name)
    ]


def test_the_counts_in_the_styles_are_right_and_each_style_of_a_cell_is_there() -> None:
    column = Column(name="amount", type="minor_units")
    content = a_file([column], [["1.50", "1.555"]], currencies=[["ZWL", "ZWL"]])
    root = ET.fromstring(part(content, "xl/styles.xml"))  # noqa: S314

    for element in root:
        assert element.get("count") == str(len(element)), element.tag
    cells = [int(style) for style in re.findall('<c s="([0-9]+)"', part(content, "xl/worksheets/sheet1.xml"))]
    assert max(cells) < len(root[5])


def test_nothing_in_the_file_tells_who_made_it_or_when() -> None:
    core = part(a_file(COLUMNS, CELLS), "docProps/core.xml")
    app = part(a_file(COLUMNS, CELLS), "docProps/app.xml")

    assert re.findall(">([^<>]+)<", core.partition("\n")[2]) == ["2000-01-01T00:00:00Z"] * 2
    assert re.findall(">([^<>]+)<", app.partition("\n")[2]) == ["Memberships Export"]


@pytest.mark.parametrize(
    "wish,place,taken,expected",
    [
        ("Memberships", 1, set(), "Memberships"),
        ("Memberships", 2, set(), "Memberships 2"),
        ("a[b]c:d*e?f/g\\h", 1, set(), "a b c d e f g h"),
        ("x" * 40, 1, set(), "x" * 31),
        ("x" * 40, 12, set(), "x" * 28 + " 12"),
        ("😀" * 20, 1, set(), "😀" * 15),
        ("'Club'", 1, set(), "Club"),
        ("", 1, set(), "Sheet"),
        (" \n??", 2, set(), "Sheet 2"),
        ("History", 1, set(), "History 2"),
        ("ABOUT", 1, {"About", "about 2"}, "ABOUT 3"),
    ],
)
def test_titles_of_sheets_are_such_as_excel_takes(wish: str, place: int, taken: set[str], expected: str) -> None:
    assert title(wish, place, taken) == expected


def test_two_sheets_never_have_the_same_title() -> None:
    plan = a_plan(XLSX, [TEXT])
    content = written(replace(plan, about=replace(plan.about, title="Daten", rows_title="daten")))

    assert sheets(content) == ["daten", "Daten 2"]


def test_the_format_has_the_names_that_the_world_knows() -> None:
    form = file_format(Format.XLSX)

    assert (form.ending, form.content_type) == ("xlsx", form.media_type)
    assert form.media_type == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert form.media_type in [one.media_type for one in every_format()]
    assert form.writer(a_plan(XLSX)).begin().startswith(b"PK")
