"""Rows as arrays, and as lines: read like the same rows as objects, or refused with words."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberships_export.domain.errors import ExportError, MembershipsContractBroken, MembershipsCutShort
from memberships_export.domain.source.asking import Ask, User
from memberships_export.domain.source.exchange import Answer
from memberships_export.domain.source.reader import Reader
from memberships_export.domain.source.survey.page_survey import survey
from tests.readers import a_reader

PROFILE = """
version = 1
columns = [
    {{ name = "id", type = "integer", required = true }},
    {{ name = "price", type = "decimal", required = true }},
    {{ name = "plan", path = "plan.title" }},
    {{ name = "until", optional = true }},
]
request = {{ path = "/list", params = {{ user = "{{user.id}}" }}, headers = {{ {headers} }} }}
auth = {{ type = "bearer", token = "env:TOKEN" }}
rows = {{ path = "{path}", key = ["id"], owner = "customer", encoding = "{encoding}" }}
paginator = {{ type = "header_link" }}
total = {{ {total} }}
"""


def reader(encoding: str, headers: str = "") -> Reader:
    path, total = ("", 'header = "X-Total"') if encoding == "ndjson" else ("data", 'path = "total", optional = true')
    return a_reader(PROFILE.format(encoding=encoding, path=path, total=total, headers=headers))


ARRAYS, LINES, OBJECTS = reader("arrays"), reader("ndjson"), reader("objects")
COLUMNS = ("id", "price", "customer", "plan", "until")
ROWS = [
    {"id": 1, "price": "29.90", "customer": "u", "plan": {"title": "Gold"}, "until": "2024-12-31"},
    {"id": 2, "price": 1.50, "customer": "u", "plan": None, "until": None},
]


def arrays(columns: Any = COLUMNS, rows: Sequence[Any] = (), **page: Any) -> bytes:  # noqa: ANN401  (any JSON)
    known = columns if isinstance(columns, list | tuple) else COLUMNS
    sent = rows or [[row.get(name) for name in known] for row in ROWS]
    return json.dumps({"columns": columns, "data": sent, "total": 2} | page).encode()


def lines(*rows: Any, end: str = "\n") -> bytes:  # noqa: ANN401  (any JSON)
    return "".join(json.dumps(row) + end for row in rows or ROWS).encode()


def cells(made: Reader, body: bytes) -> list[Sequence[str | None]]:
    page = made.read(Answer(body, {"x-total": "2"}))
    made.check(page.rows)
    assert set(made.owners(page.rows)) <= {"u"}
    assert page.envelope.total in (2, 0)
    return list(made.table(page.rows).cells)


def refusal(made: Reader, body: bytes) -> str:
    with pytest.raises(MembershipsContractBroken) as refused:
        made.read(Answer(body, {"x-total": "2"}))
    return refused.value.reason


READ = cells(OBJECTS, json.dumps({"data": ROWS, "total": 2}).encode())


def test_arrays_and_lines_are_read_like_objects() -> None:
    assert READ == [["1", "2"], ["29.90", "1.5"], ["Gold", None], ["2024-12-31", None]]
    assert cells(ARRAYS, arrays()) == READ
    assert cells(LINES, lines()) == READ


@given(st.lists(st.permutations([*COLUMNS, "more", "other"]), min_size=1, max_size=5))
def test_columns_are_found_by_their_names_in_whatever_order_each_page_has_them(orders: list[list[str]]) -> None:
    made = reader("arrays")
    for order in orders:
        assert cells(made, arrays(order)) == READ


def test_more_orders_than_are_kept_are_read_too() -> None:
    made = reader("arrays")
    for number in [*range(40), *range(40)]:
        assert cells(made, arrays([f"more{number}", *COLUMNS])) == READ


def test_a_thousand_columns_are_read() -> None:
    assert cells(ARRAYS, arrays([f"c{n}" for n in range(995)] + [*COLUMNS])) == READ


def test_the_names_of_columns_may_stand_behind_the_rows() -> None:
    page = json.loads(arrays())
    behind = json.dumps({"data": page["data"], "total": 2, "columns": page["columns"]}).encode()
    assert cells(ARRAYS, behind) == READ
    assert cells(reader("arrays"), behind) == READ


def test_a_column_that_may_be_missing_is_none_where_no_column_has_its_name() -> None:
    assert cells(ARRAYS, arrays(COLUMNS[:-1])) == [*READ[:-1], [None, None]]
    assert "it has no column plan - at `$.columns`" in refusal(ARRAYS, arrays(("id", "price", "customer")))


def test_an_api_that_does_not_know_arrays_may_send_objects_before_and_after_it_learned_to() -> None:
    made, objects = reader("arrays"), json.dumps({"data": ROWS, "total": 2}).encode()
    for body in (objects, arrays(), objects, objects, arrays(COLUMNS[::-1]), arrays()):
        assert cells(made, body) == READ


@pytest.mark.parametrize("body", [b'{"columns": [], "data": [], "total": 0}', b'{"data": [], "total": 0}'])
def test_a_page_of_no_rows_needs_no_columns_that_it_would_name(body: bytes) -> None:
    made = reader("arrays")
    if b"columns" in body:
        assert "it has no column id" in refusal(made, body)
    else:
        assert cells(made, body) == [[], [], [], []]


@pytest.mark.parametrize(
    "body,told",
    [
        (arrays(["id", *COLUMNS]), "it names one column twice - at `$.columns`"),
        (arrays([*COLUMNS, "x", "x"]), "it names one column twice - at `$.columns`"),
        (arrays(rows=[[1, "1", "u", None]]), "Expected `array` of at least length 5, got 4"),
        (arrays(rows=[[1, "1", "u", None, None, None]]), "Expected `array` of at most length 5"),
        (arrays(rows=[[1, "1", "u", None, None], []]), "Expected `array` of at least length 5, got 0"),
        (arrays(rows=[{"id": 1}]), "Expected `array`, got `object`"),
        (arrays(rows=[None]), "Expected `array`, got `null`"),
        (arrays(rows=[["1", "1", "u", None, None]]), "Expected `int`, got `str`"),
        (arrays([f"c{n}" for n in range(995)] + [*COLUMNS, "x"]), "it names 1001 columns, and at most 1000 are read"),
        (arrays(None), "it names no columns at `$.columns`"),
        (arrays("id"), "it names no columns at `$.columns`"),
        (arrays([1, 2, 3, 4, 5]), "it names no columns at `$.columns`"),
        (arrays([None, "id"]), "it names no columns at `$.columns`"),
        (arrays({"id": 0}), "it names no columns at `$.columns`"),
        (json.dumps({"data": [[1, "1", "u", None, None]]}).encode(), "it names no columns at `$.columns`"),
        (b"[]", "Expected `object`, got `array`"),
        (arrays().replace(b"Gold", b"\\ud83c"), "row 1 holds text that is no Unicode"),
        (arrays().replace(b"Gold", b"\xff"), "row 1 holds text that is no Unicode"),
        (b"<html><title>Log in</title>", "it is an HTML page"),
    ],
)
@pytest.mark.parametrize("before", [[], [arrays()], [arrays(COLUMNS[::-1])]])
def test_arrays_that_are_none_are_refused_with_words_whatever_came_before(
    body: bytes, told: str, before: list[bytes]
) -> None:
    made = reader("arrays")
    for earlier in before:
        cells(made, earlier)
    assert told in refusal(made, body)
    assert cells(made, arrays()) == READ


@pytest.mark.parametrize(
    "body",
    [
        lines(end="\r\n"),
        lines(end="\n\n  \n"),
        lines()[:-1],
        b"\xef\xbb\xbf" + lines(),
        b"\n\n" + lines(),
        lines().replace(b", ", b"\t,\r"),
    ],
)
def test_line_ends_blank_lines_and_a_byte_order_mark_are_no_part_of_rows(body: bytes) -> None:
    assert cells(LINES, body) == READ


def test_no_lines_are_no_rows() -> None:
    assert [cells(LINES, body) for body in (b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf")] == [[[], [], [], []]] * 4


@given(st.data())
def test_lines_that_break_off_are_told_from_lines_that_are_wrong(data: st.DataObject) -> None:
    body = lines(*ROWS, ROWS[0] | {"id": 3, "plan": {"title": "ü \\ \ud83c\udfbe"}})
    cut = data.draw(st.integers(1, len(body) - 3))
    kept = body[:cut].rstrip()
    if kept.endswith(b"}") and kept.count(b"\n{") + 1 == kept.count(b'"until"') and json.loads(kept.split(b"\n")[-1]):
        return  # between two lines: only what HTTP says of its length can tell
    with pytest.raises(MembershipsCutShort, match="ends in its middle"):
        LINES.read(Answer(body[:cut], {"x-total": "3"}))


@pytest.mark.parametrize(
    "body,told",
    [
        (lines(ROWS[0], 5), "Expected `object`, got `int` - at `$[1]`"),
        (lines(ROWS[0], None), "Expected `object`, got `null`"),
        (lines(ROWS), "Expected `object`, got `array`"),
        (lines({"data": ROWS}), "missing required field"),
        (lines({"error": "busy"}), "missing required field"),
        (lines(ROWS[0], ROWS[1] | {"id": "x"}), "Expected `int`, got `str`"),
        (lines(ROWS[0]) + b'{"id": 2, "pri\n' + lines(ROWS[1]), "malformed"),
        (lines(ROWS[0]) + b"]\n", "malformed"),
        (b"\x1e" + lines(ROWS[0]), "malformed"),
        (lines(ROWS[0]).replace(b"Gold", b"\xff\xfe"), "row 1 holds text that is no Unicode"),
        (
            lines(ROWS[0]) + b'{"id": 3, "price": "1", "customer": "u", "plan": {"title": "\\ud83c"}}',
            "row 3 holds text that is no Unicode",
        ),
        (b"<html><title>Log in</title>", "it is an HTML page"),
        (lines(ROWS[0]).decode().encode("utf-16"), "UTF-16"),
        (b"\x1f\x8b\x08\x00", "compressed"),
    ],
)
def test_lines_that_are_no_rows_are_refused_with_words(body: bytes, told: str) -> None:
    assert told in refusal(LINES, body)


def test_what_is_wrong_in_several_columns_is_told_by_their_names() -> None:
    wrong = [{"id": 1, "price": None, "customer": "u", "plan": 7, "until": None}]
    for made, body in (
        (ARRAYS, arrays(rows=[[row[name] for name in COLUMNS] for row in wrong])),
        (LINES, lines(*wrong)),
    ):
        reason = refusal(made, body)
        assert "price (" in reason
        assert "plan (" in reason


def test_what_is_wrong_in_one_column_of_arrays_is_told_by_its_name() -> None:
    assert "[0].plan is a whole number" in refusal(ARRAYS, arrays(rows=[[1, "1", "u", 7, None]]))


def test_a_survey_sees_arrays_and_lines_as_objects() -> None:
    objects = survey(OBJECTS.profile, json.dumps({"data": ROWS, "total": 2}).encode())
    for made, body in ((ARRAYS, arrays()), (LINES, lines())):
        seen = survey(made.profile, body)
        assert seen.columns == objects.columns
        assert (seen.mismatches, seen.unused) == ([], ())


@pytest.mark.parametrize(
    "body,told",
    [
        (arrays(["id", *COLUMNS]), ["$.columns names one column twice"]),
        (arrays(rows=[[1, "1", "u", None]]), ["$.data[0] has 4 values, and $.columns names 5 columns"]),
        (arrays(None), ['is a list, where the profile looks for "id"']),
        (b'{"columns": ["id"]}', ['has no "data"']),
        (arrays(rows=[7]), ["$.data[0] is a whole number"]),
    ],
)
def test_a_survey_says_what_keeps_arrays_from_being_rows(body: bytes, told: list[str]) -> None:
    found = [one.short for one in survey(ARRAYS.profile, body).mismatches]
    assert all(any(text in one for one in found) for text in told), found


@given(st.binary(max_size=60) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_whatever_comes_is_read_or_refused(content: bytes | str) -> None:
    body = content if isinstance(content, bytes) else f'{{"columns": {content}, "data": {content}}}'.encode()
    for made in (ARRAYS, LINES):
        survey(made.profile, body)
        with suppress(ExportError):
            made.read(Answer(body, {"x-total": "2"}))


def test_threads_that_meet_a_new_order_of_columns_together_read_the_same() -> None:
    made = reader("arrays")
    with ThreadPoolExecutor(8) as threads:
        for number in range(30):
            body = arrays([f"more{number}", *COLUMNS])
            assert list(threads.map(lambda sent: cells(made, sent), [body] * 8)) == [READ] * 8


@pytest.mark.parametrize(
    "encoding,accepted",
    [
        ("objects", {}),
        ("arrays", {"Accept": "application/vnd.memberships.arrays+json, application/json;q=0.9"}),
        ("ndjson", {"Accept": "application/x-ndjson"}),
    ],
)
def test_the_encoding_is_asked_for_unless_the_profile_has_an_accept_of_its_own(
    encoding: str, accepted: dict[str, str]
) -> None:
    def sent(headers: str) -> dict[str, str]:
        return dict(Ask(reader(encoding, headers).profile, User("u", "u@example.org"), 100).page(None).headers)

    assert sent("") == accepted
    assert sent('accept = "text/x"') == {"accept": "text/x"}
