"""CSV by every option, against `csv.writer` and `guard` cell by cell; no code is shared but that of times."""

import csv
import dataclasses
import io
import re
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberships_export.domain.formats.guard import guard, unguard
from memberships_export.domain.formats.options import DELIMITERS, Options, Preset, of_preset
from memberships_export.domain.source.profile import Column
from tests.readers import FileOfTables, a_plan
from tests.unit.domain.csv_reading import IGNORED, TRIGGERS, runs
from tests.unit.domain.csv_tables import (
    COLUMNS,
    HOSTILE,
    OPTIONS,
    ROWS,
    a_column,
    a_table,
    cell_of,
    plain_cell,
    written_cell_by_cell,
)
from tests.unit.domain.test_csv_other_separators import (
    OFFICE,
    SEPARATORS,
    TABLE,
    corpus,
    formulas_in,
    sheet_of_office,
    split_at,
    with_separators,
)

EVERY_PRESET = [of_preset(preset) for preset in Preset]
EVERY_DELIMITER = [
    dataclasses.replace(of_preset(preset), delimiter=delimiter)
    for preset in (Preset.SPREADSHEET, Preset.RAW)
    for delimiter in DELIMITERS.values()
]
GERMAN = of_preset(Preset.EXCEL_DE)


def read(content: bytes, options: Options) -> list[list[str]]:
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    return list(csv.reader(text, delimiter=options.delimiter, strict=True))


def shown(options: Options) -> str:
    return f"{options.preset}-{options.delimiter!r}"


@given(options=OPTIONS, rows=ROWS)
@settings(max_examples=400)
def test_by_all_options_the_file_is_what_csv_writer_and_the_guard_make_of_each_cell(
    options: Options, rows: list[Sequence[str | None]]
) -> None:
    plan = a_plan(options, COLUMNS)
    writer = FileOfTables(plan)

    content = writer.begin() + writer.rows(a_table(rows)) + writer.end()

    assert content == written_cell_by_cell(plan, rows)
    cells = [
        (plain_cell(c, t, options), cell_of(c, t, options)) for row in rows for c, t in zip(COLUMNS, row, strict=True)
    ]
    assert writer.guarded == sum(plain != written for plain, written in cells)


@given(options=OPTIONS, rows=ROWS)
@settings(max_examples=200)
def test_by_all_options_every_cell_is_read_back(options: Options, rows: list[Sequence[str | None]]) -> None:
    writer = FileOfTables(a_plan(options, COLUMNS))

    head, *lines = read(writer.begin() + writer.rows(a_table(rows)), options)

    assert head == [column.name for column in COLUMNS]
    for row, line in zip(rows, lines, strict=True):
        for column, text, cell in zip(COLUMNS, row, line, strict=True):
            expected = plain_cell(column, text, options)
            assert (unguard(cell) if options.guard and cell != expected else cell) == expected


@given(options=OPTIONS, place=st.integers(0, len(COLUMNS) - 1), rows=ROWS)
@settings(max_examples=200)
def test_a_file_of_one_column_has_a_line_for_every_row(
    options: Options, place: int, rows: list[Sequence[str | None]]
) -> None:
    plan = a_plan(options, COLUMNS[place : place + 1])
    writer, chosen = FileOfTables(plan), [row[place : place + 1] for row in rows]

    content = writer.begin() + writer.rows(a_table(chosen, plan.columns))

    assert content == written_cell_by_cell(plan, chosen)
    assert len(read(content, options)) == 1 + len(rows)


@pytest.mark.parametrize("options", [*EVERY_PRESET, *EVERY_DELIMITER], ids=shown)
def test_every_text_of_the_corpora_comes_back_and_none_can_run_wherever_it_is_split(
    shared_data: Path, options: Options
) -> None:
    texts = with_separators(corpus(shared_data))

    content = a_column(texts, options)

    cells = [cell for (cell,) in read(content, options)]
    assert len(texts) > 6_000
    if not options.guard:
        assert cells == texts
        return
    assert cells == [guard(text) for text in texts]
    assert [unguard(cell) for cell in cells] == texts
    for separator in SEPARATORS:
        assert [cell for cell in split_at(content, separator) if runs(cell)] == [], separator


@pytest.mark.parametrize("options", [of for of in [*EVERY_PRESET, *EVERY_DELIMITER] if of.guard], ids=shown)
@pytest.mark.parametrize("separator", SEPARATORS, ids=["comma", "semicolon", "bar", "tab"])
@given(texts=st.lists(HOSTILE, min_size=3, max_size=3), cents=st.integers(-(10**6), 10**6))
@settings(max_examples=30)
def test_beside_amounts_with_a_comma_no_text_can_run_wherever_the_file_is_split(
    options: Options, separator: str, texts: list[str], cents: int
) -> None:
    columns = [Column(name="first"), Column(name="price", type="decimal"), Column(name="last")]
    rows: list[list[str | None]] = [[texts[0], str(Decimal(cents).scaleb(-2)), texts[1]], [texts[2], None, texts[0]]]
    content = FileOfTables(a_plan(options, columns)).rows(a_table(rows, columns))

    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
        # Where a cell is empty, the line end or TAB of the file is the first of what is taken for one.
        between = IGNORED + "\r\n" + ("\t" if options.delimiter == "\t" else "")
        pieces = [cell.lstrip(between) for cell in split_at(content, separator, quoting)]
        texts_only = [piece for piece in pieces if not re.match(r'-?[0-9]+([.,][0-9]+)?("|$)', piece)]
        assert [piece for piece in texts_only if piece[:1] in set(TRIGGERS)] == []


def test_the_decimal_comma_is_for_amounts_alone() -> None:
    columns = [Column(name=name) for name in ("text", "free")] + [
        Column(name="integer", type="integer"),
        Column(name="decimal", type="decimal"),
        Column(name="minor", type="minor_units", exponent=2),
        Column(name="mapped", type="decimal", map={"0": "free"}),
        Column(name="version", type="constant", value="1.5"),
    ]
    row = ["1.5", "v2.0", "1234", "-29.90", "-0.05", "12.50", "1.5"]

    content = FileOfTables(a_plan(GERMAN, columns)).rows(a_table([row], columns))

    assert content == b'"1.5";"v2.0";"1234";"-29,90";"-0,05";"12.50";"1.5"\r\n'


def test_numbers_stay_unguarded_with_a_decimal_comma() -> None:
    column = Column(name="price", type="decimal")
    writer = FileOfTables(a_plan(GERMAN, [column]))

    assert writer.rows(a_table([["-29.90"], [None], ["5"]], [column])) == b'"-29,90"\r\n""\r\n"5"\r\n'
    assert writer.guarded == 0


def test_no_rows_are_no_bytes_when_the_first_column_has_a_decimal_comma() -> None:
    column = Column(name="price", type="decimal", required=True)

    assert FileOfTables(a_plan(GERMAN, [column])).rows(a_table([], [column])) == b""


@pytest.mark.parametrize("delimiter", DELIMITERS.values())
def test_plain_files_are_quoted_where_their_own_delimiter_asks_for_it(delimiter: str) -> None:
    options = dataclasses.replace(of_preset(Preset.RAW), delimiter=delimiter)
    others = "".join(mark for mark in DELIMITERS.values() if mark != delimiter)

    content = a_column([f"a{others}b", f"a{delimiter}b", 'say "hi"', " a "], options)

    assert content.decode() == f'a{others}b\r\n"a{delimiter}b"\r\n"say ""hi"""\r\n a \r\n'


def test_cells_with_an_apostrophe_are_counted_each_once_over_all_pages_and_headings_are_not() -> None:
    plan = dataclasses.replace(a_plan(Options(), COLUMNS[:2]), headings=["=Name", "-Id"])
    writer = FileOfTables(plan)

    head = writer.begin()
    assert head == b'\xef\xbb\xbf"\'=Name","\'-Id"\r\n'
    assert writer.guarded == 0
    writer.rows(a_table([["=1\n=2,=3", "-1"], ["Gold", "2"], [None, "3"]], plan.columns))
    assert writer.guarded == 1
    writer.rows(a_table([["'=1", "4"], ["@home", "5"], ["it's", "6"]], plan.columns))
    assert writer.guarded == 3


def test_without_the_guard_nothing_gets_an_apostrophe_and_nothing_is_counted() -> None:
    writer = FileOfTables(a_plan(Options(guard=False), COLUMNS[:2]))

    assert writer.rows(a_table([["=1+1", "-1"]], COLUMNS[:2])) == b'"=1+1","-1"\r\n'
    assert writer.guarded == 0


def test_a_plain_file_may_have_the_guard() -> None:
    options = dataclasses.replace(of_preset(Preset.RAW), guard=True)

    assert a_column(["=1,5", "Gold"], options) == b'"\'=1,5"\r\nGold\r\n'


@pytest.mark.parametrize(
    "preset, line",
    [
        (Preset.SPREADSHEET, '"2026-03-01 15:30:00","2026-03-01","2026-03-01 15:30:00+01:00","2026-03-01T14:30:00Z"'),
        (Preset.RAW, "2026-03-01T15:30:00+01:00,2026-03-01,2026-03-01T15:30:00+01:00,2026-03-01T14:30:00Z"),
    ],
)
def test_instants_are_written_in_the_zone_and_dates_are_not_moved(preset: Preset, line: str) -> None:
    columns = [
        Column(name="joined", type="datetime"),
        Column(name="born", type="date"),
        Column(name="from", type="date"),
        Column(name="note", type="date_or_text"),
    ]
    options = dataclasses.replace(of_preset(preset), time_zone="Europe/Berlin")
    row = ["2026-03-01T14:30:00Z", "2026-03-01", "2026-03-01T14:30:00Z", "2026-03-01T14:30:00Z"]

    content = FileOfTables(a_plan(options, columns)).rows(a_table([row], columns))

    assert content.decode() == line + "\r\n"


def test_a_byte_order_mark_is_there_when_it_was_chosen() -> None:
    with_mark, without = (FileOfTables(a_plan(Options(bom=bom), COLUMNS[:1])).begin() for bom in (True, False))

    assert with_mark == b"\xef\xbb\xbf" + without
    assert without == b'"text"\r\n'


# --- LibreOffice itself -----------------------------------------------------------------------------------------------

OFFICE_VALUE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"


def typed_cells(sheet: Path) -> list[list[tuple[str, str]]]:
    """The types and values of the cells that hold something, row by row."""
    with zipfile.ZipFile(sheet) as archive:
        root = ET.fromstring(archive.read("content.xml"))  # noqa: S314  (written by LibreOffice just now)
    rows = [
        [
            (kind, cell.get(f"{OFFICE_VALUE}value") or cell.get(f"{OFFICE_VALUE}date-value") or "")
            for cell in row.iter(f"{TABLE}table-cell")
            for _ in range(int(cell.get(f"{TABLE}number-columns-repeated", "1")))
            if (kind := cell.get(f"{OFFICE_VALUE}value-type"))
        ]
        for row in root.iter(f"{TABLE}table-row")
    ]
    return [row for row in rows if row]


@pytest.mark.office
@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed: make test-office says how to get it")
def test_libreoffice_set_to_german_reads_amounts_as_numbers_whose_sum_adds_up_and_times_as_times(
    tmp_path: Path,
) -> None:
    columns = [
        Column(name="name"),
        Column(name="price", type="decimal"),
        Column(name="fee", type="minor_units", exponent=2),
        Column(name="joined", type="datetime"),
    ]
    amounts = [Decimal(cents).scaleb(-2) for cents in range(-700, 1_234_567, 7_919)]
    rows = [["=1+1", f"{amount}", f"{-amount}", "2026-03-01T14:30:05Z"] for amount in amounts]
    options = dataclasses.replace(GERMAN, time_zone="Europe/Berlin")
    writer = FileOfTables(a_plan(options, columns))
    content = writer.begin() + writer.rows(a_table(rows, columns))

    sheet = sheet_of_office(content, "59", tmp_path)

    assert formulas_in(sheet) == []
    head, *lines = typed_cells(sheet)
    assert [kind for kind, _ in head] == ["string"] * 4
    assert {tuple(kind for kind, _ in line) for line in lines} == {("string", "float", "float", "date")}
    assert [Decimal(line[1][1]) for line in lines] == amounts
    assert sum(Decimal(line[2][1]) for line in lines) == -sum(amounts)
    assert {line[3][1] for line in lines} == {"2026-03-01T15:30:05"}
