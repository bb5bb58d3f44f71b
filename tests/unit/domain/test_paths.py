"""Paths of a profile: the part of JMESPath that needs no searching."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberships_export.domain.source.paths import PathInvalid, parse_path


@pytest.mark.parametrize(
    "text, steps",
    [
        ("", ()),
        ("a", ("a",)),
        ("a.b", ("a", "b")),
        ("a[0]", ("a", 0)),
        ("[0].b", (0, "b")),
        ("[1][2]", (1, 2)),
        ('"odd key"', ("odd key",)),
        ('a."odd.key"[2].b', ("a", "odd.key", 2, "b")),
        ('"@odata.nextLink"', ("@odata.nextLink",)),
        (r'"a \"quoted\" name"', ('a "quoted" name',)),
        (r'"\u00e9t\u00e9"', ("été",)),
        ('"été"', ("été",)),
        ('""', ("",)),
        ("_links.next", ("_links", "next")),
        ("a[9999]", ("a", 9999)),
    ],
)
def test_a_path_names_what_lies_on_the_way(text: str, steps: tuple[str | int, ...]) -> None:
    assert parse_path(text) == steps


@pytest.mark.parametrize(
    "text, problem",
    [
        ("person-id", 'a name with other characters than letters, digits and _ is quoted: "person-id" (at character 1'),
        ("a.@odata", '"@odata" (at character 3, "@odata")'),
        ("2nd", '"2nd"'),
        ("été", '"été"'),
        ("a..b", "a name is missing"),
        (".a", "a name is missing"),
        ("a.", "(at its end)"),
        ("a. b", '" b"'),
        ("a b", '"a b" (at character 1'),
        ("'a'", "a name is missing"),
        ("a[", "such as items[0]"),
        ("a[]", "such as items[0]"),
        ("a[-1]", "such as items[0]"),
        ("a[*]", "such as items[0]"),
        ("a[01]", "such as items[0]"),
        ("a[10000]", "such as items[0]"),
        ("a[" + "9" * 5000 + "]", "such as items[0]"),
        ("a[\u0661]", "such as items[0]"),
        ("a[0]b", "after a name or a place comes a dot"),
        ('"a"b', "after a name or a place comes a dot"),
        ('"a', "never closed"),
        ('"a\n"', "never closed"),
        (r'"\ud800"', "half of a character"),
        ("a.b\x00", '"b\\u0000"'),
        (".".join("a" * 21), "deeper than 20"),
        ("$.a", '"$"'),
        ("a | b", '"a | b"'),
    ],
)
def test_what_is_no_path_is_refused_with_its_place_and_the_way_to_write_it(text: str, problem: str) -> None:
    with pytest.raises(PathInvalid) as refused:
        parse_path(text)

    assert problem in str(refused.value)
    assert len(str(refused.value)) < 250 or "9999" not in text


@given(st.lists(st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 9999)), max_size=20))
def test_every_name_and_place_can_be_written(steps: list[str | int]) -> None:
    written = [f"[{step}]" if isinstance(step, int) else f".{json.dumps(step)}" for step in steps]

    assert parse_path("".join(written).removeprefix(".")) == tuple(steps)


@given(st.text())
def test_a_text_is_a_path_or_is_refused_as_such(text: str) -> None:
    try:
        parse_path(text)
    except PathInvalid as refused:
        assert "(at " in str(refused)  # noqa: PT017  (most texts are none, some are)
