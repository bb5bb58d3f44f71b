"""XlsxWriter, which Excel is known to read, writes the same cells: what other programs read of both is the same."""

import io
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from memberships_export.domain.source.profile import Column
from tests.unit.domain.xlsx_reading import TEXT, a_file, by_calamine, by_openpyxl, corpora

COLUMNS = [
    TEXT,
    Column(name="integer", type="integer"),
    Column(name="amount", type="decimal"),
    Column(name="boolean", type="boolean"),
    Column(name="day", type="date"),
    Column(name="time", type="datetime"),
]
Row = tuple[str, int, int, bool, date, datetime]
# What both write the same: a text that ends in the middle of an escape XlsxWriter does not protect.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="_\ufffe\uffff"), min_size=1, max_size=20)
ROWS = st.tuples(
    TEXTS,
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.integers(-(10**13), 10**13),
    st.booleans(),
    st.dates(date(1900, 3, 1)),
    st.datetimes(datetime(1900, 3, 1), datetime(9999, 12, 31)).map(lambda moment: moment.replace(microsecond=0)),  # noqa: DTZ001
)


def by_xlsxwriter(rows: list[Row]) -> bytes:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    days, times = (book.add_format({"num_format": form}) for form in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"))
    sheet = book.add_worksheet("Memberships")
    for place, column in enumerate(COLUMNS):
        sheet.write_string(0, place, column.name)
    for line, (text, integer, cents, boolean, day, moment) in enumerate(rows, 1):
        sheet.write_string(line, 0, text)
        sheet.write_number(line, 1, integer)
        sheet.write_number(line, 2, cents / 100)
        sheet.write_boolean(line, 3, boolean)
        sheet.write_datetime(line, 4, day, days)
        sheet.write_datetime(line, 5, moment, times)
    book.close()
    return content.getvalue()


def by_us(rows: list[Row]) -> bytes:
    texts = [
        (
            text,
            str(integer),
            f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}",
            str(boolean).lower(),
            day.isoformat(),
            f"{moment.isoformat()}Z",
        )
        for text, integer, cents, boolean, day, moment in rows
    ]
    return a_file(COLUMNS, [*zip(*texts, strict=True)])


def assert_same(rows: list[Row]) -> None:
    ours, theirs = by_us(rows), by_xlsxwriter(rows)
    read: Any
    for read in (by_openpyxl, by_calamine):
        assert read(ours) == read(theirs)


@given(st.lists(ROWS, min_size=1, max_size=50))
@settings(max_examples=30)
def test_any_row_is_read_as_if_xlsxwriter_had_written_it(rows: list[Row]) -> None:
    assert_same(rows)


def test_every_text_of_every_corpus_is_read_as_if_xlsxwriter_had_written_it(shared_data: Path) -> None:
    texts = [text.replace("\ufffe", "\ufffd") for text in corpora(shared_data) if text]

    day = datetime(2024, 1, 1)  # noqa: DTZ001
    assert_same([(text, place, -place, place % 2 == 0, day.date(), day) for place, text in enumerate(texts)])
