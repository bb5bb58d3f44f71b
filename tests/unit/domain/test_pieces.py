"""Pieces of files: what they become does not depend on how many rows come at a time, and is tied to a number."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberships_export.domain.errors import MembershipsContractBroken
from memberships_export.domain.formats.formats import file_format
from memberships_export.domain.formats.options import Format, Options, Preset, of_preset
from memberships_export.domain.formats.part import FORM
from memberships_export.domain.source.exchange import Answer
from memberships_export.domain.source.reader import Table
from tests.factories import a_membership, a_page
from tests.readers import a_plan, own_reader
from tests.unit.domain.csv_tables import COLUMNS, OPTIONS, ROWS, a_table

ALL = range(len(own_reader().profile.columns))


def a_file(options: Options, pages: Sequence[Sequence[Table]]) -> bytes:
    form, plan = file_format(options.format), a_plan(options, COLUMNS)
    pieces, writer = form.pieces(options, COLUMNS), form.writer(plan)
    return b"".join([writer.begin(), *(writer.add(pieces.piece(tables)) for tables in pages), writer.end()])


@given(
    options=OPTIONS,
    format_=st.sampled_from(Format),
    rows=ROWS.filter(len),
    other=ROWS.filter(len),
    cut=st.integers(1, 4),
)
@settings(max_examples=150)
def test_a_file_is_the_same_however_many_rows_come_at_a_time(
    options: Options,
    format_: Format,
    rows: list[Sequence[str | None]],
    other: list[Sequence[str | None]],
    cut: int,
) -> None:
    options = replace(options, format=format_)
    few = [a_table(page[start : start + cut]) for page in (rows, other) for start in range(0, len(page), cut)]
    whole = a_file(options, [[a_table(rows)], [a_table(other)]])
    assert a_file(options, [few]) == whole
    assert a_file(options, [[table] for table in few]) == whole


@given(options=OPTIONS, format_=st.sampled_from(Format), rows=ROWS.filter(len), other=ROWS)
@settings(max_examples=150)
def test_texts_that_come_again_and_again_become_what_they_become_alone(
    options: Options, format_: Format, rows: list[Sequence[str | None]], other: list[Sequence[str | None]]
) -> None:
    form, options = file_format(format_), replace(options, format=format_)
    pages = [a_table(rows * 3), a_table([*other, *rows]), a_table(rows * 2)]
    one = form.pieces(options, COLUMNS)
    assert [one.piece([page]) for page in pages] == [form.pieces(options, COLUMNS).piece([page]) for page in pages]


# What the pieces of some rows are. Where one of them changes, FORM has to be raised with it: an export that was begun
# by the version before would otherwise become a file of both.
ROWS_OF_ALL_KINDS: list[list[str | None]] = [
    ["=1+1", "1", None, "29.90", "-0.05", "12.5", "true", "2026-01-01", "2026-03-01T12:00:00Z"],
    ['say "hi", you', "2", "7", "0", None, "3", "false", None, "2026-07-01T12:00:00.250Z"],
]
DIGESTS = {
    (Format.CSV, Preset.SPREADSHEET): "27fe2afc28f82f34",
    (Format.CSV, Preset.RAW): "18b1e005c2ec8f12",
    (Format.CSV, Preset.EXCEL_DE): "88c3b424b86fdfee",
    (Format.XLSX, Preset.SPREADSHEET): "32f9f0e3c552fa22",
    (Format.JSONL, Preset.SPREADSHEET): "ad34b3c63fe8dab7",
}


@pytest.mark.parametrize("kind", DIGESTS, ids=str)
def test_the_number_of_the_form_changes_with_what_pieces_look_like(kind: tuple[Format, Preset]) -> None:
    options = replace(of_preset(kind[1]), format=kind[0], time_zone="Europe/Berlin")
    columns = COLUMNS[:9]
    piece = file_format(kind[0]).pieces(options, columns).piece([a_table(ROWS_OF_ALL_KINDS, columns)])
    digest = sha256(msgspec.msgpack.encode(piece)).hexdigest()[:16]
    assert (FORM, digest) == (2, DIGESTS[kind]), "raise FORM in domain/formats/part.py, and note the new digest"


@pytest.mark.parametrize("wrong", [0, 499, 500, 1234])
def test_a_cell_that_is_wrong_is_named_by_its_place_in_the_page(wrong: int) -> None:
    rows = [a_membership(number + 1) for number in range(1300)]
    rows[wrong]["recurringPrice"] = "much"
    reader = own_reader()
    page = reader.read(Answer(a_page(rows)))
    with pytest.raises(
        MembershipsContractBroken, match=rf"row {wrong + 1} .* at `\$\.items\[{wrong}\]\.recurringPrice`"
    ):
        list(reader.checked_tables(page.rows, ALL))
    with pytest.raises(MembershipsContractBroken, match=rf"\[{wrong}\]"):
        list(reader.checked_tables(page.rows, [0]))  # also where the file does not have the column


def test_rows_that_came_before_are_left_out() -> None:
    rows = [a_membership(number + 1) for number in range(1001)]
    reader = own_reader()
    page = reader.read(Answer(a_page(rows)))
    ids = [text for table in reader.checked_tables(page.rows, [0], 1) for text in table.cells[0]]
    assert ids == [str(number) for number in range(2, 1002)]
