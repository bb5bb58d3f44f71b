"""Dates, times and other types in cells of XLSX."""

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memberships_export.domain.formats.options import Format, Options
from memberships_export.domain.source.profile import Column
from tests.unit.domain.xlsx_reading import a_file, by_calamine, by_openpyxl, part

DATE, DATE_OR_TEXT = Column(name="day", type="date"), Column(name="day", type="date_or_text")
TIME = Column(name="at", type="datetime")
MARCH = date(1900, 3, 1)
DAYS = st.dates()
ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York", "Pacific/Kiritimati"]
CLOCK = "yyyy-mm-dd hh:mm:ss"


def cells_of(column: Column, texts: Sequence[str], zone: str = "UTC") -> list[tuple[Any, str]]:
    """What openpyxl reads of values, dates where they are days alone, and their number formats."""
    content = a_file([column], [texts], options=Options(format=Format.XLSX, time_zone=zone))
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    found = [(_day_or_time(cell), cell.number_format) for (cell,) in sheet.iter_rows(min_row=2)]
    same = [_compared(row[0]) for row in by_calamine(content)[1:]]
    assert [_compared(cell) for cell, _ in found] == same
    return found


def cell_of(column: Column, text: str, zone: str = "UTC") -> tuple[Any, str]:
    return cells_of(column, [text], zone)[0]


def _day_or_time(cell: Any) -> Any:  # noqa: ANN401  (whatever a cell holds)
    value = cell.value
    if isinstance(value, datetime) and cell.number_format == "yyyy-mm-dd":
        assert value.time() == time()
        return value.date()
    return value or ""


def _compared(value: Any) -> Any:  # noqa: ANN401
    """A reader makes a date of a time at midnight, and one rounds where the other cuts."""
    if isinstance(value, datetime):
        return round((value - datetime(1900, 1, 1)) / timedelta(milliseconds=1))  # noqa: DTZ001
    return _compared(datetime.combine(value, time())) if isinstance(value, date) else value


@given(st.lists(DAYS, min_size=1))
@example([date(1066, 10, 14), date(1900, 2, 28), MARCH, date(9999, 12, 31)])
@settings(max_examples=30)
def test_a_day_is_a_date_where_excel_is_right_about_it_and_else_text(days: list[date]) -> None:
    expected = [(day, "yyyy-mm-dd") if day >= MARCH else (day.isoformat(), "General") for day in days]

    for column in (DATE, DATE_OR_TEXT):
        assert cells_of(column, [day.isoformat() for day in days], "Pacific/Kiritimati") == expected


@pytest.mark.parametrize("zone", ZONES)
@given(st.lists(st.datetimes(datetime(1900, 3, 3), datetime(9999, 12, 29)), min_size=1))  # noqa: DTZ001  (in UTC)
@example([datetime(2024, 7, 1, 23, 59, 59, 999_999), datetime(2024, 10, 27, 1, 30)])  # noqa: DTZ001
@settings(max_examples=20)
def test_a_time_is_a_date_with_time_in_the_zone_to_the_millisecond(zone: str, moments: list[datetime]) -> None:
    cells = cells_of(TIME, [f"{moment.isoformat()}Z" for moment in moments], zone)

    for moment, (found, shown) in zip(moments, cells, strict=True):
        local = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        expected = local.replace(microsecond=local.microsecond // 1000 * 1000)
        assert abs(found - expected) < timedelta(microseconds=500)
        assert shown == (f"{CLOCK}.000" if expected.microsecond else CLOCK)


@pytest.mark.parametrize(
    "text,zone,expected",
    [
        ("1066-10-14T09:00:00Z", "UTC", "1066-10-14 09:00:00"),
        ("1900-02-28T23:59:59Z", "UTC", "1900-02-28 23:59:59"),
        ("9999-12-31T23:59:59Z", "UTC", datetime(9999, 12, 31, 23, 59, 59)),  # noqa: DTZ001
        ("1900-02-28T23:30:00Z", "Europe/Berlin", datetime(1900, 3, 1, 0, 30)),  # noqa: DTZ001
        ("", "Europe/Berlin", None),
    ],
)
def test_times_at_the_ends_of_what_excel_counts(text: str, zone: str, expected: Any) -> None:  # noqa: ANN401
    content = a_file([TIME, DATE], [[text], ["2024-01-01"]], options=Options(format=Format.XLSX, time_zone=zone))

    assert by_openpyxl(content)[1][0] in (expected, expected or "")


@pytest.mark.parametrize(
    "zone,local,offset",
    [
        ("UTC", datetime(2024, 7, 1, 10), '"Z"'),  # noqa: DTZ001
        ("Europe/Berlin", datetime(2024, 7, 1, 12), '"+02:00"'),  # noqa: DTZ001
        ("America/New_York", datetime(2024, 7, 1, 6), '"-04:00"'),  # noqa: DTZ001
        ("Asia/Kathmandu", datetime(2024, 7, 1, 15, 45), '"+05:45"'),  # noqa: DTZ001
        ("America/St_Johns", datetime(2024, 7, 1, 7, 30), '"-02:30"'),  # noqa: DTZ001
    ],
)
def test_a_time_among_dates_shows_how_far_its_zone_is_from_utc(zone: str, local: datetime, offset: str) -> None:
    for column in (DATE, DATE_OR_TEXT):
        assert cell_of(column, "2024-07-01T10:00:00Z", zone) == (local, f"{CLOCK}{offset}")
    assert cell_of(DATE, "2024-07-01T10:00:00.250Z", zone)[1] == f"{CLOCK}.000{offset}"


@pytest.mark.parametrize("text", ["2024-01-01T10:00:00+05:30", "2024-01-01T04:30Z", "2024-01-01T04:30:00.000Z"])
def test_a_time_with_a_zone_in_a_column_of_anything_is_one(text: str) -> None:
    assert cell_of(DATE_OR_TEXT, text) == (datetime(2024, 1, 1, 4, 30), f'{CLOCK}"Z"')  # noqa: DTZ001


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "20240101",
        "2024-13-01",
        "2023-02-29",
        "0000-00-00",
        "2024-01-01T10:00:00",
        "2024-01-01 10:00",
        "2024-1-1",
        "2024-01-01T10:00:00.123456Z",
        "2024-01-01T25:00:00Z",
        " 2024-01-01",
        "2024-01-01\n",
        "\u0662024-01-01",
        "45292",
    ],
)
def test_anything_else_in_such_a_column_stays_as_it_came(text: str) -> None:
    assert cell_of(DATE_OR_TEXT, text) == (text, "General")


def test_dates_texts_and_nothing_stand_in_one_column() -> None:
    content = a_file([DATE_OR_TEXT], [["2024-01-01", None, "", "soon", "x" * 40_000, "2024-01-01"]])

    first, nothing, empty, soon, long, last = [row[0] for row in by_openpyxl(content)[1:]]
    assert first == last == datetime(2024, 1, 1)  # noqa: DTZ001
    assert (nothing, empty or "", soon) == (None, "", "soon")
    assert long.endswith(" […]")
    assert ["Cut", 1] in by_openpyxl(content, 1)


def test_true_and_false_are_cells_of_their_own_kind() -> None:
    content = a_file([Column(name="b", type="boolean")], [["true", None, "false"]])

    assert by_openpyxl(content)[1:] == [[True], [None], [False]]
    assert by_calamine(content)[1:] == [[True], [""], [False]]


@pytest.mark.parametrize("kind", ["integer", "decimal", "boolean", "date", "datetime", "epoch", "minor_units"])
def test_columns_with_names_for_values_and_lists_are_texts(kind: Any) -> None:  # noqa: ANN401
    named = Column(name="n", type=kind, map={"1": "one"})
    joined = Column(name="j", join=", ")

    assert by_openpyxl(a_file([named, joined], [["42"], ["1, 2"]]))[1] == ["42", "1, 2"]


def test_constants_are_texts() -> None:
    sheet = part(a_file([Column(name="c", type="constant", value="1")], [["1", "1"]]), "xl/worksheets/sheet1.xml")

    assert sheet.count('<c t="inlineStr"><is><t>1</t></is></c>') == 2
