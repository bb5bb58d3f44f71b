"""JSON Lines, read back by the standard library's json."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberships_export.domain.formats.file_format import Plan
from memberships_export.domain.formats.formats import every_format, file_format
from memberships_export.domain.formats.instants import for_programs
from memberships_export.domain.formats.options import LANGUAGES, Format, Options
from memberships_export.domain.source.profile import Column
from memberships_export.domain.source.profile_file.problems import ProfileInvalid
from memberships_export.domain.source.profile_file.text import read_profile
from tests.factories import a_page
from tests.readers import FileOfTables, a_plan, own_table
from tests.unit.domain.csv_reading import TEXT_HEADERS, a_row
from tests.unit.domain.csv_tables import COLUMNS, ROWS, a_table
from tests.unit.domain.test_csv_other_separators import corpus, with_separators

ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"])
NAMES = ["a.b", "class", "id", "$ref", "__class__", "0", "Größe", "a b", "%s", "{", "日本", "null", "f0", "self"]
QUOTED = ['say "hi"', "C:\\temp", '"', "\\"]
Row = Sequence[str | None]


def options(zone: str = "UTC", language: str = "en") -> Options:
    return Options(format=Format.JSONL, time_zone=zone, language=language)


def written(plan: Plan, rows: Sequence[Row]) -> bytes:
    writer = FileOfTables(plan)
    return writer.begin() + writer.rows(a_table(rows, plan.columns)) + writer.end()


def read(content: bytes) -> list[dict[str, Any]]:
    """Each line as an object whose names are in order and none of them twice."""
    assert content == b"" or content.endswith(b"\n")
    return [dict(unique(json.loads(line, object_pairs_hook=list))) for line in content.decode().split("\n")[:-1]]


def unique(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    assert len({name for name, _ in pairs}) == len(pairs)
    return pairs


def value_of(column: Column, text: str | None, zone: str) -> str | int | None:
    if text is None or column.map or column.join is not None:
        return text
    match column.type:
        case "integer":
            return int(text)
        case "boolean":
            return text == "true"
        case "date" | "datetime" | "epoch" | "epoch_ms":
            return for_programs([text], zone)[0]
    return text


@given(rows=ROWS, zone=ZONES)
@settings(max_examples=300)
def test_every_value_comes_back_with_its_type_under_the_name_of_its_column(rows: list[Row], zone: str) -> None:
    lines = read(written(a_plan(options(zone), COLUMNS), rows))

    assert len(lines) == len(rows)
    for row, line in zip(rows, lines, strict=True):
        assert list(line) == [column.name for column in COLUMNS]
        for column, text in zip(COLUMNS, row, strict=True):
            value = value_of(column, text, zone)
            assert (type(line[column.name]), line[column.name]) == (type(value), value)


def test_every_row_of_the_corpora_comes_back_as_the_api_sent_it(shared_data: Path) -> None:
    texts = with_separators(corpus(shared_data))
    rows = [a_row(**dict.fromkeys(TEXT_HEADERS, text) | {"validUntil": None}) for text in texts]
    writer = FileOfTables(a_plan(options()))

    lines = read(writer.rows(own_table(a_page(rows))))

    assert len(texts) > 6_000
    assert lines == [row | {"recurringPrice": "150.00"} for row in rows]
    assert [list(line) for line in lines] == [list(row) for row in rows]


def test_each_type_is_written_so_that_no_digit_is_lost() -> None:
    columns = [
        Column(name="id", type="integer"),
        Column(name="price", type="decimal"),
        Column(name="fee", type="minor_units", exponent=2),
        Column(name="active", type="boolean"),
        Column(name="since", type="datetime"),
        Column(name="born", type="date"),
        Column(name="level", type="integer", map={"1": "gold"}),
        Column(name="club", type="constant", value="5"),
        Column(name="note"),
    ]
    row = [
        *(
            "9223372036854775807",
            "29.90",
            "-0.05",
            "true",
            "2026-03-01T14:30:00Z",
            "2026-03-01",
            "2",
            "5",
            '=1\n"\u2028',
        ),
    ]

    content = written(a_plan(options("Europe/Berlin"), columns), [row, [None] * 7 + ["5", ""]])

    assert content.decode() == (
        '{"id":9223372036854775807,"price":"29.90","fee":"-0.05","active":true,"since":"2026-03-01T15:30:00+01:00",'
        '"born":"2026-03-01","level":"2","club":"5","note":"=1\\n\\"\u2028"}\n'
        '{"id":null,"price":null,"fee":null,"active":null,"since":null,"born":null,"level":null,"club":"5","note":""}\n'
    )


@pytest.mark.parametrize(
    "text", ["\0\1\x1f\x7f\x85\u2028\u2029", "\r\n", "\ufeff", "\U0001f3cb", "\uffff", "</script>"]
)
def test_control_characters_and_line_ends_stay_within_their_line(text: str) -> None:
    content = written(a_plan(options(), [Column(name="text")]), [[text]])

    assert content.count(b"\n") == 1
    assert not any(byte < 0x20 for byte in content[:-1])
    assert read(content) == [{"text": text}]


@pytest.mark.parametrize("names", [NAMES, [*QUOTED, *NAMES], *([name] for name in QUOTED)])
def test_a_column_may_have_any_name(names: list[str]) -> None:
    columns = [Column(name=name) for name in names]

    (line,) = read(written(a_plan(options(), columns), [[f"{place}" for place in range(len(names))]]))

    assert line == {name: f"{place}" for place, name in enumerate(names)}


@given(names=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), min_size=1, unique=True))
def test_names_are_what_json_reads(names: list[str]) -> None:
    columns = [Column(name=name) for name in names]

    (line,) = read(written(a_plan(options(), columns), [["x"] * len(names)]))

    assert list(line) == names


@pytest.mark.parametrize("name", ["a\\nb", "a\\u0000b", "a\\u001fb"])
def test_names_with_control_characters_and_names_that_come_twice_are_refused_before(name: str) -> None:
    profile = """
version = 1
columns = [{{ name = "{first}" }}, {{ name = "{second}" }}]
request = {{ path = "/" }}
rows = {{ path = "", key = ["id"] }}
paginator = {{ type = "single_page" }}
"""
    for first, second in ((name, "b"), ("b", "b")):
        with pytest.raises(ProfileInvalid):
            read_profile(profile.format(first=first, second=second), "test")
    read_profile(profile.format(first="a", second="b"), "test")


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_are_the_same_in_every_language_whatever_stands_above_columns(language: str) -> None:
    columns = [Column(name="id", labels={tag: f"Nummer {tag}" for tag in LANGUAGES})]
    plan = dataclasses.replace(a_plan(options(language=language), columns), headings=["Nummer"])

    assert written(plan, [["7"]]) == b'{"id":"7"}\n'


def test_no_rows_are_no_bytes_and_pages_written_one_by_one_are_one_file() -> None:
    plan = a_plan(options(), COLUMNS[:2])
    rows: list[Row] = [["=1", "1"], [None, "2"]]
    writer = FileOfTables(plan)

    assert written(plan, []) == b""
    assert b"".join(writer.rows(a_table([row], plan.columns)) for row in rows) == written(plan, rows)
    assert writer.guarded == 0


def test_the_format_has_the_ending_and_the_media_type_of_json_lines_and_needs_no_charset() -> None:
    form = file_format(Format.JSONL)

    assert (form.ending, form.media_type, form.content_type) == ("jsonl", "application/jsonl", "application/jsonl")
    assert form.ending in {each.ending for each in every_format()}
