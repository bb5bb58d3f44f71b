"""All that does not fit between a page and its profile, told at once, with the place and what is there instead."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberships_export.domain.errors import ExportError, MembershipsContractBroken
from memberships_export.domain.source.exchange import Answer
from memberships_export.domain.source.reader import reader_of
from memberships_export.domain.source.survey.column_survey import ColumnSurvey
from memberships_export.domain.source.survey.masking import masked, shortened
from memberships_export.domain.source.survey.page_survey import PageSurvey, in_order, survey, without_columns
from tests.readers import a_reader

PROFILE = """
version = 1
columns = [
    { name = "id", required = true },
    { name = "plan", path = "plan.title", required = true },
    { name = "price", path = "amount", type = "minor_units", currency = "currency" },
    { name = "until", path = "ends", type = "date" },
    { name = "method", path = "payment.method.typ" },
    { name = "count", type = "integer", optional = true },
    { name = "state", map = { 1 = "active" } },
    { name = "first", path = "items[0].sku" },
    { name = "tags", join = ", " },
    { name = "source", type = "constant", value = "club" },
]
request = { path = "/x", params = { user = "{user.id}" } }
auth = { type = "bearer", token = "env:TOKEN" }
rows = { path = "data", key = ["id"], owner = "customer" }
paginator = { type = "cursor", cursor_path = "paging.next", cursor_param = "after" }
total = { path = "total" }
"""
READER = a_reader(PROFILE)
ROW = {
    "id": "sub_1",
    "plan": {"title": "Adult"},
    "amount": 2990,
    "currency": "CHF",
    "ends": "2024-02-01T01:00:00+01:00",
    "payment": {"method": {"typ": "sepa", "brand": "x"}},
    "count": 7,
    "state": 1,
    "items": [{"sku": "A"}],
    "tags": ["a", "b"],
    "customer": "42",
}
Row = dict[str, Any]


def body(*rows: Row, **changes: object) -> bytes:
    return json.dumps({"data": rows, "paging": {"next": None}, "total": len(rows)} | changes).encode()


def looked_at(*rows: Row) -> PageSurvey:
    return survey(READER.profile, body(*rows))


def told(*rows: Row, **changes: object) -> list[str]:
    return [f"{one.about}: {one.text}" for one in survey(READER.profile, body(*rows, **changes)).mismatches]


def column(name: str, *rows: Row) -> ColumnSurvey:
    return next(one for one in looked_at(*rows).columns if one.name == name)


def without(name: str) -> Row:
    return {key: value for key, value in ROW.items() if key != name}


def test_nothing_is_told_of_a_page_that_is_as_the_profile_says() -> None:
    assert told(ROW) == []


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"payment": {"method": {"a": 1, "b": 2}}}, 'method: $.data[1].payment.method has no "typ"; it has: a, b'),
        ({"payment": "sepa"}, 'method: $.data[1].payment is text, where the profile looks for "method"'),
        ({"payment": {}}, 'method: $.data[1].payment has no "method"'),
        ({"count": "7"}, "count: $.data[1].count is text, where the profile says integer"),
        ({"count": 7.5}, "count: $.data[1].count is a number with a fraction, where the profile says integer"),
        (
            {"count": 2**63},
            "count: $.data[1].count is a whole number of more than 64 bits, where the profile says integer",
        ),
        ({"count": True}, "count: $.data[1].count is true or false, where the profile says integer"),
        ({"plan": {"title": None}}, "plan: $.data[1].plan.title is null, and must not be"),
        ({"plan": None}, "plan: $.data[1].plan is null, and what the profile reads in it must be there"),
        ({"plan": {"title": ["Adult"]}}, "plan: $.data[1].plan.title is a list, where the profile says text"),
        ({"amount": 29.9}, "price: $.data[1].amount is a number with a fraction, where the profile says minor_units"),
        ({"amount": "29.90"}, "price: $.data[1].amount is no whole number of minor units"),
        (
            {"currency": "XYZ"},
            "price: $.data[1].amount is an amount in a currency that is no ISO 4217 code: set exponents",
        ),
        ({"currency": None}, "price: $.data[1].amount is an amount without a currency"),
        ({"currency": 756}, "price: $.data[1].currency is a whole number, where the profile says a currency"),
        ({"ends": "2024-02-01T01:00:00"}, "until: $.data[1].ends is a time without zone: set zone"),
        ({"ends": "1.2.2024"}, "until: $.data[1].ends is no date of ISO 8601"),
        ({"ends": 1706745600}, "until: $.data[1].ends is a whole number, where the profile says date"),
        ({"items": {}}, "first: $.data[1].items is an object, where the profile looks for a list"),
        (
            {"items": [{"sku": "A"}, {"sku": 5}]},
            "first: $.data[1] cannot be read: Expected `str | null`, got `int` - at `$.items[1].sku`",
        ),
        ({"tags": "a,b"}, "tags: $.data[1].tags is text, where the profile says a list of texts to join"),
        ({"customer": None}, "owner: $.data[1].customer is null, and must not be"),
        ({"id": None}, "id: $.data[1].id is null, and must not be"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_its_place_and_what_is_there(changes: Row, words: str) -> None:
    assert told(ROW, ROW | changes) == [words]


def test_all_that_does_not_fit_is_named_at_once_and_the_same_is_counted() -> None:
    bad = without("ends") | {"amount": 1.5, "payment": {"method": {}}}

    assert told(ROW, bad, bad) == [
        "price: $.data[1].amount is a number with a fraction, where the profile says minor_units (in 2 rows)",
        'until: $.data[1] has no "ends" (in 2 rows); it has: ' + ", ".join(bad),
        'method: $.data[1].payment.method has no "typ" (in 2 rows)',
    ]  # fmt: skip


def test_a_row_that_is_none_and_rows_that_are_no_list_are_named() -> None:
    page = json.dumps({"items": [], "next": "x", "total": 1}).encode()
    (rows, *_) = survey(READER.profile, page).mismatches

    assert told(data={"a": 1}) == ["rows: $.data is an object, where the profile says rows"]
    assert rows.text == '$ has no "data"; it has: items, next, total'
    assert all('is text, where the profile looks for "' in text for text in told("x"))  # type: ignore[arg-type]


def test_rows_that_are_null_are_none() -> None:
    assert told(data=None) == []


def test_what_stands_around_the_rows_is_looked_at_too() -> None:
    assert told(ROW, paging={"next": [1]}, total=1.5) == [
        "next: $.paging.next is a list, where the profile says text or a whole number",
        "total: $.total is a number with a fraction, where the profile says a whole number",
    ]


def test_a_column_that_may_be_missing_in_a_list_is_hardly_missing_everywhere() -> None:
    lacks = ROW | {"items": []}

    assert told(ROW, lacks) == []
    assert told(lacks, lacks) == [
        "first: $.data[0].items[0].sku is missing in all 2 rows: correct the path, or say optional = true"
    ]


def test_names_that_look_like_values_are_not_told() -> None:
    members = {"anna@example.org": 1, "Ada Example": 2, "4711": 3, "kind": 4}

    assert told(ROW | {"plan": members}) == ['plan: $.data[0].plan has no "title"; it has: kind, 3 more']


def test_of_each_column_it_is_counted_what_is_there() -> None:
    seen = column("until", ROW, ROW | {"ends": None}, without("ends"))

    assert (seen.filled, seen.null, seen.missing) == (1, 1, 1)
    assert (column("source", ROW, ROW).filled, column("count", without("count")).missing) == (2, 1)


def test_an_example_shows_what_came_and_what_is_written() -> None:
    price, until, plan = column("price", ROW).example, column("until", ROW).example, column("plan", ROW).example
    assert price
    assert until
    assert plan
    assert (price.came, price.written, price.converted) == ("2990 CHF", "29.90", True)
    assert until.written == "2024-02-01T00:00:00Z"
    assert (plan.came, plan.is_text, plan.converted) == ("Adult", True, False)


def test_values_that_the_map_does_not_name_are_counted() -> None:
    assert column("state", ROW, ROW | {"state": 2}, ROW | {"state": "paused"}, ROW | {"state": None}).unnamed == 2


def test_fields_that_nothing_reads_are_named_where_something_is_read() -> None:
    assert looked_at(ROW | {"metadata": {"a": 1}, "discount": 5}).unused == (
        "payment.method.brand",
        "metadata",
        "discount",
    )


@pytest.mark.parametrize(
    "keys, order",
    [([1, 2, 9], "rising"), (["c", "b"], "falling"), ([1, 3, 2], "none"), ([1], "none"), ([1, "2"], "none")],
)
def test_the_order_of_keys_is_seen(keys: list[Any], order: str) -> None:
    assert in_order(keys) == order


def test_a_profile_without_the_columns_that_do_not_fit_reads_the_rest() -> None:
    wrong = ROW | {"amount": [], "ends": 5}
    reader = reader_of(without_columns(READER.known, ["price", "until"]))

    assert len(reader.read(Answer(body(wrong))).rows) == 1


# --- The reason of a worker -------------------------------------------------------------------------------------------


def test_the_reason_of_a_worker_names_all_that_is_wrong_at_once() -> None:
    with pytest.raises(MembershipsContractBroken) as failure:
        READER.read(Answer(body(ROW | {"count": "x", "amount": 1.5}, without("tags"))))

    assert failure.value.reason.startswith(
        "The memberships API sent a page that breaks its contract: Expected `int | str | null`, got `float` - at "
        "`$.data[0].amount`. All that is wrong: price ("
    )
    for column_name in ("price", "count", "tags"):
        assert f" {column_name} ($.data[" in failure.value.reason


def test_the_reason_of_a_worker_names_each_column_with_a_value_that_cannot_be_written() -> None:
    page = READER.read(Answer(body(ROW, ROW | {"id": "sub_2", "ends": "1.2.2024", "currency": "XYZ"})))
    with pytest.raises(MembershipsContractBroken) as failure:
        READER.check(page.rows)

    assert failure.value.reason == (
        "The memberships API sent row sub_2 with a price that is an amount in a currency that is no ISO 4217 code: set "
        "exponents - at `$.data[1].amount`; row sub_2 with a until that is no date of ISO 8601 - at `$.data[1].ends`."
    )


def test_of_very_many_columns_with_such_values_the_rest_is_counted() -> None:
    columns = ", ".join(f'{{ name = "d{number}", path = "day", type = "date" }}' for number in range(25))
    reader = a_reader(PROFILE.replace('{ name = "id", required = true },', f'{{ name = "id" }}, {columns},'))
    with pytest.raises(MembershipsContractBroken, match=r"; 5 more such columns\.$"):
        reader.check(reader.read(Answer(body(ROW | {"day": "x"}))).rows)


def test_the_reason_of_a_worker_holds_neither_values_nor_names_that_may_be_values() -> None:
    row = without("tags") | {"plan": {"canary": "canary"}, "count": "canary", "payment": {"canary": 1}}
    with pytest.raises(MembershipsContractBroken) as failure:
        READER.read(Answer(body(row)))

    assert "canary" not in failure.value.reason


def test_the_reason_of_a_worker_stays_short_however_much_is_wrong() -> None:
    many: Row = {f"c{number}": [] for number in range(40)}
    columns = ", ".join(f'{{ name = "{name}" }}' for name in many)
    reader = a_reader(PROFILE.replace('{ name = "id", required = true },', f'{{ name = "id" }}, {columns},'))
    with pytest.raises(MembershipsContractBroken, match=r"and 20 more\.$"):
        reader.read(Answer(body(ROW | many)))


def test_errors_in_place_of_a_page_are_told_as_such() -> None:
    reader = a_reader(PROFILE.replace("request = {", 'request = { errors_path = "errors",'))
    page = json.dumps({"data": 5, "errors": [{"message": "canary"}]}).encode()
    with pytest.raises(MembershipsContractBroken) as failure:
        reader.read(Answer(page))

    assert failure.value.reason == "The memberships API answered with errors at `$.errors` instead of a page."
    assert [one.text for one in survey(reader.profile, page).mismatches] == [
        "the API answered with errors at `$.errors` instead of a page"
    ]


NAMES = ["title", "method", "typ", "sku"]
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3)
    | st.sampled_from(["2024-01-01", "29", 5]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=4,
)  # fmt: skip


@given(st.lists(st.dictionaries(st.sampled_from(sorted(ROW)), VALUES, max_size=2), min_size=1, max_size=3))
def test_something_is_told_just_when_the_worker_refuses_the_page(changes: list[Row]) -> None:
    page = body(ROW, *(ROW | change for change in changes))  # a whole row, or a column could be missing everywhere
    try:
        READER.check(READER.read(Answer(page)).rows)
        refused = False
    except ExportError:
        refused = True

    assert bool(survey(READER.profile, page).mismatches) == refused


@given(VALUES)
def test_whatever_comes_instead_of_a_page_can_be_looked_at(sent: Any) -> None:  # noqa: ANN401  (any JSON)
    for page in (sent, {"data": sent}, {"data": [sent]}, {"data": [{"payment": sent}], "paging": sent}):
        survey(READER.profile, json.dumps(page).encode())


@pytest.mark.parametrize("sent", [b"", b"<html>", b"{", b'{"\xff": 1}', b"[" * 100_000, b'{"data":[NaN]}'])
def test_what_is_no_json_can_be_looked_at_too(sent: bytes) -> None:
    assert survey(READER.profile, sent).columns == ()


# --- Masks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, form",
    [
        ("sub_1A2b", "xxx_0X0x"),
        ("2990 CHF", "0000 XXX"),
        ("2024-02-01T00:00:00Z", "0000-00-00X00:00:00X"),
        ("Zoë Müller", "Xxx Xxxxxx"),
        ("anna@example.org", "xxxx@xxxxxxx.xxx"),
        ("山田 🧗", "xx x"),
    ],
)
def test_a_mask_keeps_the_form_and_no_content(text: str, form: str) -> None:
    assert masked(text) == form


def test_a_long_text_is_shortened() -> None:
    assert shortened("x" * 25) == "x" * 24 + "..."
    assert shortened("x" * 24) == "x" * 24
