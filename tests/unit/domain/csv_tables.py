"""Tables with columns of every type, and what `csv.writer` makes of them cell by cell."""

import csv
import io
from collections.abc import Sequence
from datetime import date

from hypothesis import strategies as st

from memberships_export.domain.formats.file_format import Plan
from memberships_export.domain.formats.guard import guard
from memberships_export.domain.formats.instants import dates_for_people, for_people, for_programs
from memberships_export.domain.formats.options import DECIMALS, DELIMITERS, Options, Preset
from memberships_export.domain.source.profile import Column
from memberships_export.domain.source.reader import Table
from tests.readers import FileOfTables, a_plan
from tests.unit.domain.csv_reading import IGNORED, TRIGGERS

COLUMNS = (
    Column(name="text"),
    Column(name="id", type="integer", required=True),
    Column(name="integer", type="integer"),
    Column(name="price", type="decimal", required=True),
    Column(name="decimal", type="decimal"),
    Column(name="minor", type="minor_units", exponent=2),
    Column(name="boolean", type="boolean"),
    Column(name="date", type="date"),
    Column(name="datetime", type="datetime"),
    Column(name="epoch", type="epoch"),
    Column(name="epoch_ms", type="epoch_ms"),
    Column(name="free", type="date_or_text"),
    Column(name="constant", type="constant", value="=1,5"),
    Column(name="level", type="integer", map={"1": "=gold"}),
    Column(name="fee", type="decimal", map={"0": "free"}),
    Column(name="ends", type="epoch", map={"0": "never"}),
    Column(name="joined", join="; "),
)
HOSTILE = st.text(st.sampled_from(TRIGGERS + IGNORED + "''\r\n\",;|\tab1.5"), max_size=6)
TEXT = st.none() | st.just("") | st.just("Gold Plan") | HOSTILE | st.text(st.characters(exclude_categories=["Cs"]))
DIGITS = st.integers(-(10**20), 10**20).map(str)
AMOUNT = st.builds(lambda whole, cents: f"{whole}.{cents:02}", st.integers(-(10**17), 10**17), st.integers(0, 99))
DATE = st.dates().map(date.isoformat)
TIME = st.builds(
    lambda moment, rest: f"{moment.replace(microsecond=0).isoformat()}{rest}Z",
    st.datetimes(),
    st.sampled_from(["", ".250"]),
)
VALUES = {
    "id": DIGITS, "integer": st.none() | DIGITS, "price": DIGITS | AMOUNT, "decimal": st.none() | AMOUNT,
    "minor": st.none() | AMOUNT | DIGITS, "boolean": st.sampled_from([None, "true", "false"]),
    "date": st.none() | st.just("") | DATE | TIME, "datetime": st.none() | DATE | TIME, "epoch": st.none() | TIME,
    "epoch_ms": st.none() | st.just("") | TIME, "constant": st.just("=1,5"),
    "level": st.none() | DIGITS | st.just("=gold"), "fee": st.none() | AMOUNT | st.just("free"),
    "ends": TIME | st.just("never"),
}  # fmt: skip
ROWS = st.lists(st.tuples(*(VALUES.get(column.name, TEXT) for column in COLUMNS)), max_size=5)
OPTIONS = st.builds(
    Options,
    preset=st.sampled_from(Preset),
    delimiter=st.sampled_from(sorted(DELIMITERS.values())),
    decimal=st.sampled_from(DECIMALS),
    time_zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    bom=st.booleans(),
    guard=st.booleans(),
)


def a_table(rows: Sequence[Sequence[str | None]], columns: Sequence[Column] = COLUMNS) -> Table:
    """The table of these rows."""
    cells = [[row[place] for row in rows] for place in range(len(columns))]
    return Table(columns, cells, [None] * len(columns))


def a_column(texts: Sequence[str], options: Options) -> bytes:
    """The lines of a file of one column of texts."""
    column = Column(name="text")
    return FileOfTables(a_plan(options, [column])).rows(a_table([[text] for text in texts], [column]))


def plain_cell(column: Column, text: str | None, options: Options) -> str:
    """What is to be read in one cell, before the guard."""
    people, mapped = options.preset is not Preset.RAW, bool(column.map) or column.join is not None
    match column.type:
        case "decimal" | "minor_units" if not mapped:
            return (text or "").replace(".", options.decimal)
        case "datetime" | "epoch" | "epoch_ms" if not mapped:
            (text,) = (for_people if people else for_programs)([text], options.time_zone)
        case "date" if not mapped:
            (text,) = (dates_for_people if people else for_programs)([text], options.time_zone)
    return text or ""


def cell_of(column: Column, text: str | None, options: Options) -> str:
    """What is to be read in one cell."""
    cell = plain_cell(column, text, options)
    number = column.type in {"integer", "decimal", "minor_units"} and not column.map
    return guard(cell) if options.guard and not number else cell


def written_cell_by_cell(plan: Plan, rows: Sequence[Sequence[str | None]]) -> bytes:
    """The whole file from `csv.writer`, one cell at a time."""
    options = plan.options
    out = io.StringIO(newline="")
    quoting = csv.QUOTE_MINIMAL if options.preset is Preset.RAW else csv.QUOTE_ALL
    writer = csv.writer(out, delimiter=options.delimiter, quoting=quoting)  # type: ignore[arg-type]  # a literal
    writer.writerow([guard(heading) if options.guard else heading for heading in plan.headings])
    for row in rows:
        writer.writerow([cell_of(column, text, options) for column, text in zip(plan.columns, row, strict=True)])
    return (b"\xef\xbb\xbf" if options.bom else b"") + out.getvalue().encode()
