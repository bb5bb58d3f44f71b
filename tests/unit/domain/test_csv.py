from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberships_export.domain.formats.guard import unguard
from memberships_export.domain.formats.options import Preset
from memberships_export.domain.source.columns.values import is_number
from tests.readers import csv_writer, own_reader
from tests.unit.domain.csv_reading import (
    IGNORED,
    TEXT_HEADERS,
    TRIGGERS,
    Row,
    a_row,
    head,
    lines,
    read,
    written_cell_by_cell,
)

HEADERS = [
    "id", "uuid", "name", "userId", "recurringPrice", "validFrom", "validUntil", "state", "assignedBy", "paymentMethod",
    "billingInterval", "billingPeriods",
]  # fmt: skip
ROW = a_row(name="Zürich, Gold", validUntil="2026-12-31", recurringPrice="-5.00")
HOSTILE = st.text(st.sampled_from(TRIGGERS + IGNORED + "''\r\n\",;ab1"), max_size=6)
TEXT = st.one_of(st.just("Gold Plan"), HOSTILE, st.text(st.characters(exclude_categories=["Cs"])))
INTEGERS = st.integers(-(2**63), 2**63 - 1)
AMOUNTS = st.builds(lambda units, exponent: Decimal(units).scaleb(exponent), INTEGERS, st.integers(-30, 10))
PRICES = AMOUNTS.map(lambda amount: msgspec.Raw(f'"{amount}"'.encode())) | AMOUNTS.map(
    lambda amount: msgspec.Raw(str(amount).encode())
)
ROWS = st.fixed_dictionaries(
    {
        "id": INTEGERS, "uuid": TEXT, "name": TEXT, "userId": TEXT, "recurringPrice": PRICES, "validFrom": TEXT,
        "validUntil": st.none() | TEXT, "state": TEXT, "assignedBy": st.none() | TEXT,
        "paymentMethod": st.none() | TEXT, "billingInterval": TEXT, "billingPeriods": INTEGERS,
    }
)  # fmt: skip


def test_the_columns_of_our_own_contract_are_its_fields_in_its_order() -> None:
    assert [column.name for column in own_reader().profile.columns] == HEADERS


def test_only_the_id_the_price_and_the_periods_are_numbers() -> None:
    numbers = [column.name for column in own_reader().profile.columns if is_number(column)]

    assert numbers == ["id", "recurringPrice", "billingPeriods"]


def test_the_raw_header_is_one_plain_line() -> None:
    assert head(csv_writer(Preset.RAW)) == ",".join(HEADERS).encode() + b"\r\n"


def test_the_spreadsheet_header_is_quoted_and_begins_with_a_byte_order_mark() -> None:
    assert head(csv_writer(Preset.SPREADSHEET)) == b'\xef\xbb\xbf"' + '","'.join(HEADERS).encode() + b'"\r\n'


def test_raw_rows_are_quoted_only_where_rfc_4180_asks_for_it() -> None:
    assert lines(csv_writer(Preset.RAW), [ROW, a_row(name='5" \n')]).decode() == (
        "1,00000000-0000-0000-0000-000000000001,"
        '"Zürich, Gold",user-1,-5.00,2026-01-01,2026-12-31,active,,credit card,monthly,12\r\n'
        "1,00000000-0000-0000-0000-000000000001,"
        '"5"" \n",user-1,150.00,2026-01-01,,active,,credit card,monthly,12\r\n'
    )


def test_spreadsheet_rows_have_every_field_quoted_and_typed_numbers_unguarded() -> None:
    assert lines(csv_writer(Preset.SPREADSHEET), [ROW]).decode() == (
        '"1","00000000-0000-0000-0000-000000000001","Zürich, Gold","user-1","-5.00","2026-01-01","2026-12-31",'
        '"active","","credit card","monthly","12"\r\n'
    )


@pytest.mark.parametrize("preset", [Preset.SPREADSHEET, Preset.RAW])
def test_rows_have_no_byte_order_mark_and_no_rows_are_no_bytes(preset: Preset) -> None:
    assert not lines(csv_writer(preset), [ROW]).startswith(b"\xef\xbb\xbf")
    assert lines(csv_writer(preset), []) == b""


@pytest.mark.parametrize("preset", [Preset.SPREADSHEET, Preset.RAW])
def test_pages_written_one_by_one_are_the_same_as_one_page(preset: Preset) -> None:
    other = a_row(name="=1+1")

    assert lines(csv_writer(preset), [ROW, other]) == lines(csv_writer(preset), [ROW]) + lines(
        csv_writer(preset), [other]
    )


@pytest.mark.parametrize("header", TEXT_HEADERS)
def test_a_formula_in_any_text_column_is_guarded_for_spreadsheets_and_left_alone_in_raw(header: str) -> None:
    row, at = a_row(**{header: "=1+1"}), HEADERS.index(header)

    assert read(lines(csv_writer(Preset.SPREADSHEET), [ROW, row]))[1][at] == "'=1+1"
    assert read(lines(csv_writer(Preset.RAW), [ROW, row]))[1][at] == "=1+1"


@pytest.mark.parametrize("header", ["validUntil", "assignedBy", "paymentMethod"])
@pytest.mark.parametrize("preset", [Preset.SPREADSHEET, Preset.RAW])
def test_a_missing_value_is_an_empty_cell(preset: Preset, header: str) -> None:
    row = a_row(**{header: None})

    assert read(lines(csv_writer(preset), [row]))[0][HEADERS.index(header)] == ""


@pytest.mark.parametrize(
    "price,cell",
    [
        ("120.50", "120.50"),
        ("-5.00", "-5.00"),
        ("0", "0"),
        ("1E+2", "100"),
        ("1.25e3", "1250"),
        ("1E-9", "0.000000001"),
        ("123456789012345678901234567890.10", "123456789012345678901234567890.10"),
    ],
)
@pytest.mark.parametrize("preset", [Preset.SPREADSHEET, Preset.RAW])
def test_prices_are_written_digit_by_digit_and_without_exponent(preset: Preset, price: str, cell: str) -> None:
    rows = [a_row(recurringPrice=price), ROW]

    assert [line[4] for line in read(lines(csv_writer(preset), rows))] == [cell, "-5.00"]


@pytest.mark.parametrize("preset", [Preset.SPREADSHEET, Preset.RAW])
@given(rows=st.lists(ROWS, max_size=6))
@settings(max_examples=300)
def test_rows_equal_what_csv_writer_and_the_guard_make_of_each_cell(preset: Preset, rows: list[Row]) -> None:
    assert lines(csv_writer(preset), rows) == written_cell_by_cell(rows, preset)


@pytest.mark.parametrize("preset", [Preset.SPREADSHEET, Preset.RAW])
@given(row=ROWS)
@settings(max_examples=300)
def test_every_value_can_be_read_back(preset: Preset, row: Row) -> None:
    (cells,) = read(lines(csv_writer(preset), [row]))
    texts = [unguard(cell) if preset is Preset.SPREADSHEET else cell for cell in cells]

    for column, cell, text in zip(own_reader().profile.columns, cells, texts, strict=True):
        value = row[column.name]
        if isinstance(value, msgspec.Raw):
            assert Decimal(cell) == msgspec.json.decode(value, type=Decimal)
        elif is_number(column):
            assert int(cell) == value
        else:
            assert text == (value or "")


def test_the_text_columns_of_these_tests_are_all_there_are() -> None:
    texts = [column.name for column in own_reader().profile.columns if not is_number(column)]

    assert texts == list(TEXT_HEADERS)
