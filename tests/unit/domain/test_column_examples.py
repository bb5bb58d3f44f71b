"""docs/columns.md: its tables name every type, and its examples are what happens."""

import re
import tomllib
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from memberships_export.domain.source.columns.values import BadValue, raw_type, values_of
from memberships_export.domain.source.profile import Column, Kind

PAGE = (Path(__file__).parents[3] / "docs" / "columns.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^\| `(type = .+?)` \| `(.+?)` \| (.+) \|$", PAGE, re.MULTILINE)


def column_of(keys: str) -> Column:
    return msgspec.convert(tomllib.loads(f'column = {{ name = "c", {keys} }}')["column"], Column)


def written(column: Column, sent: str) -> str:
    kind = raw_type(column)
    raw = msgspec.json.decode(sent, type=kind if kind is msgspec.Raw else kind | None)
    try:
        (text,) = values_of(column).texts([raw])
    except BadValue as bad:
        return f"refused: {bad.what}"
    return f"`{text or ''}`"


@pytest.mark.parametrize("keys, sent, shown", EXAMPLES)
def test_the_examples_of_columns_are_written_as_the_page_says(keys: str, sent: str, shown: str) -> None:
    assert written(column_of(keys), sent) == shown


def test_the_page_has_a_row_and_an_example_for_every_type() -> None:
    kinds = set(get_args(Kind))

    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == kinds
    assert {column_of(keys).type for keys, _, _ in EXAMPLES} == kinds - {"constant"}


def test_the_example_of_money_is_a_column() -> None:
    (toml,) = re.findall(r"^```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (column,) = msgspec.convert(tomllib.loads(toml)["columns"], list[Column])

    assert values_of(column).texts([500, 500, 500, 500], ["isk", "UGX", "MGA", "KWD"]) == [
        *("5.00", "5.00", "500", "0.500")
    ]
