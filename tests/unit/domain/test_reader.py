"""Pages of any shape: what a profile's types read, and what of the five kinds of nothing becomes of each."""

import json
from typing import Any

import pytest
from msgspec import UNSET

from memberships_export.domain.errors import MembershipsContractBroken
from memberships_export.domain.source.exchange import Answer
from memberships_export.domain.source.reader import Reader
from memberships_export.domain.source.row_types import Unreadable
from tests.readers import a_reader

BARE = """
version = 1
columns = [{columns}]
request = {{ path = "/list", params = {{ user = "{{user.id}}" }} }}
auth = {{ type = "bearer", token = "env:TOKEN" }}
rows = {{ path = {path}, key = ["id"] }}
paginator = {{ type = "single_page" }}
"""


def reader(columns: str, path: str = '""') -> Reader:
    return a_reader(BARE.format(columns=columns, path=path))


def texts(columns: str, *rows: Any) -> list[str | None]:  # noqa: ANN401  (any JSON)
    made = reader(columns)
    sent = [{"id": number, **row} for number, row in enumerate(rows)]
    page = made.read(Answer(json.dumps(sent).encode()))
    made.check(page.rows)
    return list(made.table(page.rows).cells[0])


@pytest.mark.parametrize("type_", ["text", "integer", "decimal", "boolean", "date", "epoch"])
def test_null_missing_zero_false_and_empty_are_told_apart(type_: str) -> None:
    value = {"text": "", "integer": 0, "decimal": 0, "boolean": False, "date": "2024-01-01", "epoch": 0}[type_]
    written = {"text": "", "integer": "0", "decimal": "0", "boolean": "false", "epoch": "1970-01-01T00:00:00Z"}
    column = f'{{ name = "c", type = "{type_}"'
    assert texts(f"{column} }}", {"c": value}, {"c": None}) == [written.get(type_, value), None]
    assert texts(f"{column}, optional = true }}", {"c": value}, {}) == [written.get(type_, value), None]
    with pytest.raises(MembershipsContractBroken, match="c"):
        texts(f"{column} }}", {"c": value}, {})
    with pytest.raises(MembershipsContractBroken, match="c"):
        texts(f"{column}, required = true }}", {"c": value}, {"c": None})


def test_what_is_nested_may_be_null_or_missing_on_the_way() -> None:
    column = '{ name = "c", path = "plan.tags[1].name", optional = true }'
    deep = {"plan": {"tags": [{}, {"name": "gold"}]}}
    rows = [deep, {"plan": {"tags": [{"name": "x"}]}}, {"plan": {"tags": None}}, {"plan": None}, {}]
    assert texts(column, *rows) == ["gold", None, None, None, None]


def test_what_a_list_does_not_have_at_its_place_is_nothing_though_the_column_is_not_optional() -> None:
    column = '{ name = "c", path = "tags[1]" }'
    assert texts(column, {"tags": ["a", "b"]}, {"tags": ["a"]}, {"tags": []}) == ["b", None, None]
    column = '{ name = "c", path = "tags[0].name" }'
    assert texts(column, {"tags": [{"name": "gold"}]}, {"tags": [{}]}, {"tags": [None]}) == ["gold", None, None]


def test_names_that_need_quotes_are_read() -> None:
    path = json.dumps('"odd key"."@odata.id"')
    assert texts(f'{{ name = "c", path = {path} }}', {"odd key": {"@odata.id": "x"}}) == ["x"]


@pytest.mark.parametrize(
    "path,body", [('""', b"null"), ('""', b"[]"), ('"data"', b'{"data": null}'), ('"data"', b'{"data": []}')]
)
def test_rows_that_are_null_are_no_rows(path: str, body: bytes) -> None:
    assert list(reader('{ name = "id", type = "integer" }', path).read(Answer(body)).rows) == []


def test_two_columns_may_read_one_place_if_it_can_be_both() -> None:
    both = '{ name = "c", type = "epoch" }, { name = "day", path = "c", type = "epoch" }'
    assert texts(both, {"c": 0}) == ["1970-01-01T00:00:00Z"]


def test_cents_are_read_by_the_currency_beside_them() -> None:
    column = '{ name = "c", path = "plan.amount", type = "minor_units", currency = "plan.currency" }'
    rows = [{"plan": {"amount": 2990, "currency": "chf"}}, {"plan": {"amount": "2990", "currency": "JPY"}}]
    assert texts(column, *rows, {"plan": {"amount": None, "currency": None}}) == ["29.90", "2990", None]


@pytest.mark.parametrize("code", ["CHF", "chf", "no code", "", 978, 9.5, True, ["CHF"], {"code": "CHF"}, None])
@pytest.mark.parametrize("required", ["false", "true"])
def test_an_amount_with_a_point_does_not_depend_on_the_currency_beside_it(code: Any, required: str) -> None:  # noqa: ANN401
    made = reader(f'{{ name = "c", type = "decimal", currency = "code", required = {required} }}')
    sent = [{"id": 1, "c": "29.90", "code": code}, {"id": 2, "c": 1.5}]
    page = made.read(Answer(json.dumps(sent).encode()))
    made.check(page.rows)
    table = made.table(page.rows)

    assert table.cells == [["29.90", "1.5"]]
    assert table.currencies == [[code, UNSET]]


def test_a_currency_that_is_a_column_too_is_what_that_column_says() -> None:
    made = reader('{ name = "c", type = "decimal", currency = "code" }, { name = "code", required = true }')
    page = made.read(Answer(b'[{"id": 1, "c": 1, "code": "CHF"}]'))

    assert made.table(page.rows).currencies == [["CHF"], None]
    with pytest.raises(MembershipsContractBroken, match="code"):
        made.read(Answer(b'[{"id": 1, "c": 1, "code": 978}]'))


def test_an_answer_of_errors_is_told_by_where_they_are_also_without_rows() -> None:
    made = a_reader(
        BARE.format(columns='{ name = "id", type = "integer" }', path='"data.list"').replace(
            'path = "/list"', 'path = "/list", errors_path = "errors"'
        )
    )
    for data in ('{"list": []}', "null"):
        with pytest.raises(MembershipsContractBroken, match=r"errors at `\$\.errors`"):
            made.read(Answer(f'{{"data": {data}, "errors": [{{"message": "no"}}]}}'.encode()))
    assert made.read(Answer(b'{"data": {"list": []}, "errors": []}')).rows == []


def test_two_paths_that_exclude_each_other_are_refused() -> None:
    with pytest.raises((Unreadable, Exception), match="plan"):
        reader('{ name = "plan" }, { name = "price", path = "plan.amount" }')


@pytest.mark.parametrize("more", ["", ", optional = true"])
def test_an_amount_that_may_be_null_is_read_where_it_is_there(more: str) -> None:
    column = f'{{ name = "price", type = "decimal"{more} }}'

    assert texts(column, {"price": "2.50"}, {"price": None}, {"price": 10.5}) == ["2.50", None, "10.5"]


def test_an_amount_that_is_optional_may_be_left_out() -> None:
    assert texts('{ name = "price", type = "decimal", optional = true }', {}) == [None]
