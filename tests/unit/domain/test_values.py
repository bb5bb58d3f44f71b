"""What the raw value of a column becomes: null, missing, 0, false and empty text are five things."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from memberships_export.domain.source.columns.values import BadValue, is_number, needs_check, raw_type, values_of
from memberships_export.domain.source.profile import Column, Kind


def column(kind: Kind, **keys: Any) -> Column:  # noqa: ANN401  (the keys of a column)
    return Column(name="c", type=kind, **keys)


def decoded(column: Column, page: str) -> list[Any]:
    """Decode a JSON array of rows `{"c": …}` as the compiler of a profile does, where null and missing are allowed."""
    leaf = raw_type(column)
    kind = leaf if leaf is msgspec.Raw else leaf | None
    row: Any = msgspec.defstruct("Row", [("c", kind | UnsetType, UNSET)])
    return [one.c for one in msgspec.json.decode(page, type=list[row])]


def raw_of(column: Column, *values: str) -> list[Any]:
    """Decode values given as JSON, "" for a missing one."""
    return decoded(column, "[" + ", ".join(f'{{"c": {value}}}' if value else "{}" for value in values) + "]")


def written(column: Column, *values: str) -> list[str | None]:
    raw = raw_of(column, *values)
    values_of(column).check(raw)
    return list(values_of(column).texts(raw))


def refused(column: Column, *values: str) -> tuple[int, str]:
    """Return what is wrong, and where: the same when values are checked as when they are written."""
    raw = raw_of(column, *values)
    with pytest.raises(BadValue) as checked:
        values_of(column).check(raw)
    with pytest.raises(BadValue) as caught:
        values_of(column).texts(raw)
    assert str(checked.value) == str(caught.value)
    return caught.value.place, caught.value.what


# --- Null, missing, 0, false and empty text ---------------------------------------------------------------------------

ONE_OF_EACH: dict[Kind, tuple[str, str]] = {
    "text": ('"x"', "x"),
    "integer": ("7", "7"),
    "decimal": ("29.90", "29.90"),
    "minor_units": ("2990", "29.90"),
    "boolean": ("true", "true"),
    "date": ('"2024-02-29"', "2024-02-29"),
    "epoch": ("1", "1970-01-01T00:00:01Z"),
    "epoch_ms": ("1", "1970-01-01T00:00:00.001Z"),
}


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_null_and_missing_are_none_in_every_type(kind: Kind) -> None:
    value, text = ONE_OF_EACH[kind]

    assert written(column(kind, exponent=2, optional=True), value, "null", "", value) == [text, None, None, text]


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_a_page_without_rows_and_one_of_nulls_alone_are_fine(kind: Kind) -> None:
    assert written(column(kind, exponent=2, optional=True)) == []
    assert written(column(kind, exponent=2, optional=True), "null", "", "null") == [None, None, None]


@pytest.mark.parametrize(
    "kind, value, text",
    [
        ("text", '""', ""),
        ("text", '"0"', "0"),
        ("text", '"null"', "null"),
        ("integer", "0", "0"),
        ("integer", "-5", "-5"),
        ("decimal", "0", "0"),
        ("minor_units", "0", "0.00"),
        ("boolean", "false", "false"),
        ("epoch", "0", "1970-01-01T00:00:00Z"),
        ("epoch_ms", "0", "1970-01-01T00:00:00Z"),
        ("date", '""', ""),
        ("epoch", '""', ""),
        ("epoch_ms", '""', ""),
    ],
)
def test_nothing_that_is_there_is_taken_for_nothing(kind: Kind, value: str, text: str) -> None:
    assert written(column(kind, exponent=2, optional=True), value) == [text]
    assert written(column(kind, exponent=2, optional=True), "null", value, "") == [None, text, None]


def test_integers_have_at_most_64_bits() -> None:
    assert written(column("integer"), str(2**63 - 1), str(-(2**63))) == [str(2**63 - 1), str(-(2**63))]
    for value in (str(2**63), str(-(2**63) - 1)):
        with pytest.raises(msgspec.ValidationError):
            written(column("integer"), value)


def test_a_constant_is_written_in_each_row_whatever_it_holds() -> None:
    values = values_of(column("constant", value="club"))

    values.check([None, UNSET, 5])
    assert values.texts([None, UNSET, 5]) == ["club", "club", "club"]
    assert values.texts([]) == []
    assert values_of(column("constant")).texts([1]) == [""]


# --- Decimals ---------------------------------------------------------------------------------------------------------


def test_decimals_are_written_digit_by_digit_and_without_exponent() -> None:
    page = ["29.90", '"29.90"', "1E+2", "-0.5", "null", "", '"007.10"', "1e-7"]

    assert written(column("decimal"), *page) == ["29.90", "29.90", "100", "-0.5", None, None, "007.10", "0.0000001"]


@pytest.mark.parametrize("value", ['"NaN"', '"Infinity"', '"1_0"', '"+1"', '" 1"', '""', "true", "[]", "{}", "1e99"])
def test_what_is_no_amount_is_refused_with_its_place(value: str) -> None:
    assert refused(column("decimal"), "null", "1.50", value, value) == (
        2,
        'no amount of money such as 29.90 or "29.90"',
    )


@pytest.mark.parametrize("nothing", ["null", ""])
def test_a_required_decimal_is_never_null_or_missing(nothing: str) -> None:
    assert refused(column("decimal", required=True), "1.50", nothing) == (1, "null or missing, and required")


def test_a_decimal_may_be_missing_as_an_empty_raw_too() -> None:
    raw = [msgspec.Raw(b"1.50"), msgspec.Raw(), None, UNSET, msgspec.Raw(b"null")]

    assert values_of(column("decimal")).texts(raw) == ["1.50", None, None, None, None]


# --- Lists ------------------------------------------------------------------------------------------------------------


def test_a_list_is_joined_and_an_empty_one_is_empty_text() -> None:
    joined = column("text", join=", ")

    assert written(joined, '["a", "b"]', "[]", '["x", 0, -7, ""]', "null", "", '["one"]') == [
        "a, b",
        "",
        "x, 0, -7, ",
        None,
        None,
        "one",
    ]
    assert written(column("text", join=""), '["a", "b"]') == ["ab"]


@pytest.mark.parametrize("value", ["[null]", "[1.5]", "[[1]]", '"a"', "[true]"])
def test_a_list_of_anything_else_is_refused_while_decoding(value: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        written(column("text", join=", "), value)


def test_what_a_list_holds_is_named_by_the_map() -> None:
    mapped = column("text", join="+", map={"1": "gym", "true": "yes", "a": "A"})

    assert written(mapped, '[1, "1", true, "a", 2, false]', "[]", "null") == ["gym+gym+yes+A+2+false", "", None]


# --- Maps -------------------------------------------------------------------------------------------------------------


def test_a_map_names_values_by_their_json_text_and_leaves_the_others() -> None:
    mapped = column("text", map={"true": "yes", "false": "no", "1": "active", "0": "none", "": "unknown"})

    assert written(mapped, "true", "false", "1", '"1"', "0", '""', '"other"', "2", "null", "") == [
        *("yes", "no", "active", "active", "none", "unknown", "other", "2", None, None)
    ]


def test_one_and_true_are_never_mixed_up() -> None:
    assert written(column("text", map={"1": "one"}), "1", "true", "0", "false") == ["one", "true", "0", "false"]
    assert written(column("text", map={"true": "yes"}), "1", "true") == ["1", "yes"]


def test_null_is_named_by_the_key_null_and_missing_by_none() -> None:
    mapped = column("text", map={"null": "never"})

    assert written(mapped, "null", "", '"x"') == ["never", None, "x"]


@pytest.mark.parametrize("kind", ["integer", "boolean", "text"])
def test_all_plain_types_can_be_mapped(kind: Kind) -> None:
    words = {"1": "one", "true": "yes"}
    assert written(column(kind, map=words), "1", "true", '"1"', "null") == ["one", "yes", "one", None]


@pytest.mark.parametrize("kind, there", [("integer", "5"), ("boolean", "false"), ("text", '"five"'), ("text", "5")])
def test_what_a_map_does_not_name_is_written_as_the_type_says(kind: Kind, there: str) -> None:
    assert written(column(kind, map={"1": "one"}), "1", there) == ["one", there.strip('"')]


@pytest.mark.parametrize(
    "kind, there", [("integer", '"5"'), ("integer", "true"), ("boolean", "5"), ("boolean", '"no"')]
)
def test_what_a_map_does_not_name_must_be_what_the_type_says(kind: Kind, there: str) -> None:
    with pytest.raises(BadValue, match=r"row 1 .*not named in map"):
        written(column(kind, map={"1": "one"}), "1", there)


@pytest.mark.parametrize(
    "kind, named, other, text",
    [
        ("date", '"9999-12-31"', '"2024-01-01T01:00:00+01:00"', "2024-01-01T00:00:00Z"),
        ("epoch", "0", "60", "1970-01-01T00:01:00Z"),
        ("epoch_ms", "-1", "60500", "1970-01-01T00:01:00.500Z"),
        ("minor_units", '""', '"2990"', "29.90"),
        ("decimal", '"n/a"', "1e1", "10"),
        ("decimal", '""', '"1.50"', "1.50"),
        ("decimal", '"n\\/a"', "-5", "-5"),
    ],
)
def test_what_a_map_does_not_name_is_still_what_the_column_says(kind: Kind, named: str, other: str, text: str) -> None:
    mapped = column(kind, exponent=2, map={msgspec.json.decode(named) if '"' in named else named: "never"})

    assert written(mapped, named, other, "null", "", named) == ["never", text, None, None, "never"]


def test_a_bad_value_beside_named_ones_is_told_with_its_place_in_the_page() -> None:
    mapped = column("date", map={"x": "never"})

    assert refused(mapped, '"x"', "null", '"x"', '"2024-01-01"', '"y"') == (4, "no date of ISO 8601")


def test_the_currency_of_an_amount_without_a_name_is_that_of_its_row() -> None:
    mapped = values_of(column("minor_units", currency="code", map={"": "free"}))

    assert mapped.texts(["", 100, "", 100], ["EUR", "JPY", None, "KWD"]) == ["free", "100", "free", "0.100"]


def test_what_is_no_utf_8_has_no_name_and_is_no_amount() -> None:
    with pytest.raises(BadValue, match="row 1 of the page has a value that is no amount"):
        values_of(column("decimal", map={"1": "one"})).check([msgspec.Raw(b"1"), msgspec.Raw(b'"\xff"')])


def test_a_number_is_no_date_where_the_map_does_not_name_it() -> None:
    mapped = column("date", map={"0": "never"})

    assert written(mapped, "0", '"2024-01-01"', "0") == ["never", "2024-01-01", "never"]
    assert refused(mapped, "0", '"2024-01-01"', "5") == (2, "no date of ISO 8601")


def test_null_beside_amounts_is_named_too() -> None:
    mapped = column("decimal", map={"null": "free", "": "unknown"})

    assert written(mapped, "null", '""', "", '"1.50"') == ["free", "unknown", None, "1.50"]
    assert values_of(mapped).texts([None, msgspec.Raw(b"2"), UNSET, msgspec.Raw()]) == ["free", "2", None, None]


def test_a_required_amount_may_be_null_where_the_map_names_null() -> None:
    mapped = column("decimal", map={"null": "free"}, required=True)

    assert written(mapped, "null", "1") == ["free", "1"]
    assert refused(mapped, "null", "1", "") == (2, "null or missing, and required")


def test_true_is_no_number_where_the_map_does_not_name_it() -> None:
    for kind in ("epoch", "epoch_ms", "minor_units", "date"):
        with pytest.raises(msgspec.ValidationError):
            written(column(kind, exponent=2, map={"1": "x"}), "true")


# --- Formulas ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*ONE_OF_EACH, "constant"])
def test_only_what_is_checked_to_be_a_number_needs_no_guard(kind: Kind) -> None:
    number = kind in {"integer", "decimal", "minor_units"}

    assert is_number(column(kind)) is number
    assert not is_number(column(kind, map={"1": "=1+1"}))
    assert not is_number(column(kind, join=","))


def test_a_bad_value_names_its_row_and_never_the_value() -> None:
    with pytest.raises(BadValue) as caught:
        written(column("minor_units", exponent=2), "1", '"secret"')

    assert str(caught.value) == "row 1 of the page has a value that is no whole number of minor units"


# --- Hostile text -----------------------------------------------------------------------------------------------------


def test_naughty_text_stays_as_it_is_and_is_never_taken_for_a_number_or_a_date(shared_data: Path) -> None:
    naughty = [text for text in json.loads((shared_data / "blns.json").read_text("utf-8")) if isinstance(text, str)]

    assert len(naughty) > 500
    assert values_of(column("text")).texts(naughty) == naughty
    assert values_of(column("text", map={"nil": "x"})).texts(naughty) == [
        "x" if text == "nil" else text for text in naughty
    ]
    assert [text for text in naughty if is_taken(column("date", zone="UTC"), text)] == [""]
    assert all(text.strip("-0123456789") == "" for text in naughty if is_taken(column("minor_units", exponent=2), text))


def is_taken(column: Column, value: str) -> bool:
    try:
        values_of(column).check([value])
    except BadValue:
        return False
    return True


def test_only_what_decoding_does_not_prove_is_looked_at_again() -> None:
    proved = [column("text"), column("integer"), column("boolean"), column("constant"), column("text", join=", ")]
    others = [column(kind) for kind in ("decimal", "minor_units", "date", "epoch", "epoch_ms")]

    assert [needs_check(values_of(one)) for one in proved] == [False] * 5
    assert [needs_check(values_of(one)) for one in (*others, column("text", map={"a": "b"}))] == [True] * 6
