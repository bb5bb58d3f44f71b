"""A file whose first and last columns are texts of others, opened by a program that splits it elsewhere than we did."""

import csv

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberships_export.domain.formats.options import Preset
from memberships_export.domain.source.exchange import Answer
from tests.readers import a_reader, csv_writer
from tests.unit.domain.csv_reading import IGNORED, TRIGGERS
from tests.unit.domain.test_csv_other_separators import HOSTILE, SEPARATORS, split_at

TEXTS = a_reader("""
version = 1
columns = [{ name = "first" }, { name = "owner" }, { name = "last" }]
[request]
path = "/memberships"
[rows]
path = "items"
key = ["first"]
owner = "owner"
[paginator]
type = "single_page"
""")


@pytest.mark.parametrize("separator", SEPARATORS, ids=["comma", "semicolon", "bar", "tab"])
@given(texts=st.lists(HOSTILE, min_size=4, max_size=4))
@settings(max_examples=300)
def test_no_text_is_a_formula_across_the_end_of_a_line(separator: str, texts: list[str]) -> None:
    first, last, next_first, next_last = texts
    rows = [{"first": first, "owner": "anna", "last": last}, {"first": next_first, "owner": "anna", "last": next_last}]
    page = TEXTS.read(Answer(msgspec.json.encode({"items": rows})))
    content = csv_writer(Preset.SPREADSHEET).rows(TEXTS.table(page.rows))

    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
        # A cell that begins with the line end of the file goes on with the first cell of the next row.
        begins = [cell.lstrip(IGNORED + "\r\n")[:1] for cell in split_at(content, separator, quoting)]
        assert not set(begins) & set(TRIGGERS)
