from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as changed

from memberships_export.domain.errors import InvalidOptions
from memberships_export.domain.formats.choosing import Offer, choose
from memberships_export.domain.formats.languages import language_of
from memberships_export.domain.formats.options import (
    DECIMALS,
    DELIMITERS,
    LANGUAGES,
    FilterValue,
    Format,
    Likes,
    Options,
    Preset,
    of_preset,
)
from memberships_export.domain.formats.said import NAMES, read_wanted, say
from memberships_export.domain.source.profile import Filter, Profile
from tests.readers import own_reader

FILTERS = {
    "state": Filter(param="status", values={"active": "A", "ended": "E"}),
    "from": Filter(param="valid_from", type="date"),
}
ZONES = ("Africa/Abidjan", "America/New_York", "Europe/Berlin", "Europe/Zurich", "Factory", "UTC", "localtime")


def profile() -> Profile:
    return changed(own_reader().profile, filters=FILTERS)


COLUMNS = tuple(column.name for column in profile().columns)
NO_LIKES = Likes()
OFFER = Offer(profile=profile, zone_names=lambda: ZONES)


def nothing_is_looked_up() -> NoReturn:
    raise AssertionError


UNASKED = Offer(profile=nothing_is_looked_up, zone_names=nothing_is_looked_up)


def chosen(likes: Likes = NO_LIKES, offer: Offer = OFFER, **said: Any) -> Options:  # noqa: ANN401  (values of JSON)
    return choose(read_wanted(said), offer, likes)


def problems(**said: Any) -> list[tuple[str, str]]:  # noqa: ANN401
    with pytest.raises(InvalidOptions) as refused:
        chosen(**said)
    return list(refused.value.problems)


def the_problem(option: str, **said: Any) -> str:  # noqa: ANN401
    [(named, problem)] = problems(**said)
    assert named == option
    return problem


def test_nothing_said_is_the_usual_file_and_looks_nothing_up() -> None:
    assert chosen(offer=UNASKED) == Options()


@pytest.mark.parametrize("preset", list(Preset))
def test_a_preset_is_its_set_of_options(preset: Preset) -> None:
    assert chosen(preset=preset.value, offer=UNASKED) == of_preset(preset)


@pytest.mark.parametrize("kind", [Format.XLSX, Format.JSONL])
def test_another_format_has_nothing_of_csv(kind: Format) -> None:
    assert chosen(format=kind.value) == Options(format=kind)


def test_what_is_said_goes_before_what_the_preset_says() -> None:
    said: dict[str, Any] = {"preset": "excel-de", "language": "fr", "delimiter": "tab", "decimal": ".", "bom": False}
    expected = Options(preset=Preset.EXCEL_DE, language="fr", delimiter="\t", decimal=".", bom=False)
    assert chosen(**said) == expected


def test_columns_are_kept_in_the_order_they_are_named() -> None:
    assert chosen(columns=["name", "id"]).columns == ("name", "id")
    assert chosen(columns=["name", "id"]).key != chosen(columns=["id", "name"]).key


def test_all_columns_in_their_order_are_the_same_wish_as_none() -> None:
    assert chosen(columns=list(COLUMNS)) == chosen()
    assert chosen(columns=list(reversed(COLUMNS))).columns == tuple(reversed(COLUMNS))


def test_filters_are_the_same_wish_in_any_order() -> None:
    one = chosen(filters={"state": "active", "from": "2026-01-31"})
    assert one.filters == (FilterValue("from", "2026-01-31"), FilterValue("state", "active"))
    assert one == chosen(filters={"from": "2026-01-31", "state": "active"})


@pytest.mark.parametrize(
    "said, likes, language",
    [
        ({}, (), "en"),
        ({}, ("de-CH", "fr"), "de-CH"),
        ({}, ("pt-BR", "", "fr"), "fr"),
        ({"preset": "excel-it"}, ("de",), "it"),
        ({"preset": "excel-en"}, ("de",), "en"),
        ({"preset": "raw"}, ("de",), "de"),
        ({"preset": "excel-it", "language": "nl"}, ("de",), "nl"),
        ({"format": "xlsx"}, ("es",), "es"),
    ],
)
def test_the_language_is_said_or_the_presets_or_liked(
    said: Mapping[str, Any], likes: tuple[str, ...], language: str
) -> None:
    assert chosen(Likes(languages=likes), **said).language == language


@pytest.mark.parametrize(
    "said, zone",
    [
        ({}, "Europe/Berlin"),
        ({"format": "xlsx"}, "Europe/Berlin"),
        ({"preset": "excel-fr"}, "Europe/Berlin"),
        ({"preset": "raw"}, "UTC"),
        ({"format": "jsonl"}, "UTC"),
        ({"format": "jsonl", "timeZone": "Europe/Zurich"}, "Europe/Zurich"),
        ({"timeZone": "UTC"}, "UTC"),
    ],
)
def test_the_zone_is_said_or_for_people_liked(said: Mapping[str, Any], zone: str) -> None:
    likes = Likes(time_zones=("Mars/Olympus", "right/UTC", "z" * 5000, "Europe/Berlin"))
    assert chosen(likes, **said).time_zone == zone


def test_a_zone_and_a_language_are_spelled_in_one_way() -> None:
    assert chosen(timeZone="europe/BERLIN", language="DE-ch") == chosen(timeZone="Europe/Berlin", language="de-CH")
    assert chosen(timeZone="europe/BERLIN").time_zone == "Europe/Berlin"


@pytest.mark.parametrize(
    "tag, language",
    [
        ("de", "de"),
        ("de_AT", "de-AT"),
        ("EN-us", "en-US"),
        ("es-419", "es-419"),
        ("de-Latn-CH", "de-CH"),
        ("de-DE-1996", "de-DE"),
        ("de-DE-u-co-phonebk", "de-DE"),
        ("pt", None),
        ("deu", None),
        ("", None),
        ("de-", None),
        ("de\n", None),
        ("german", None),
        ("de-" + "x" * 40, None),
    ],
)
def test_tags_of_languages_are_read_as_people_write_them(tag: str, language: str | None) -> None:
    assert language_of(tag) == language


@pytest.mark.parametrize(
    "option, said, words",
    [
        ("format", "xlxs", "'xlxs' is not known: did you mean 'xlsx'? There are 'csv', 'xlsx', 'jsonl'."),
        ("format", "XLSX", "did you mean 'xlsx'?"),
        ("preset", "excel_de", "did you mean 'excel-de'"),
        ("language", "german", "'german' is not known. There are 'en', 'de', 'fr', 'it', 'nl', 'es'."),
        ("timeZone", "Berln", "did you mean 'Europe/Berlin'?"),
        ("timeZone", "new york", "did you mean 'America/New_York'?"),
        ("timeZone", "Factory", "not known"),
        ("timeZone", "../../etc/passwd", "such as 'Europe/Berlin'"),
        ("timeZone", "right/Europe/Berlin", "did you mean 'Europe/Berlin'?"),
        ("timeZone", "", "'' is not known"),
        ("delimiter", "semicolon", "There are ',', ';', 'tab', '|'."),
        ("decimal", ";", "There are '.', ','."),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(option: str, said: str, words: str) -> None:
    assert words in the_problem(option, **{option: said})


def test_an_unknown_column_is_refused_with_the_nearest_and_all_there_are() -> None:
    problem = the_problem("columns", columns=["id", "nmae"])
    assert problem.startswith("'nmae' is not known: did you mean 'name'")
    assert all(repr(name) in problem for name in COLUMNS)


def test_columns_are_names_to_the_letter() -> None:
    assert "did you mean 'name'" in the_problem("columns", columns=["Name"])


def test_a_column_twice_or_none_at_all_is_refused() -> None:
    assert the_problem("columns", columns=["id", "name", "id", "id"]) == "'id' is named twice."
    assert "The list is empty" in the_problem("columns", columns=[])


def test_a_delimiter_that_is_the_decimal_mark_is_refused() -> None:
    assert the_problem("delimiter", delimiter=",", decimal=",").startswith("',' is the decimal mark already")
    assert the_problem("decimal", decimal=",").startswith("',' is the delimiter already")
    assert the_problem("delimiter", preset="excel-de", delimiter=",").startswith("',' is the decimal mark already")
    assert the_problem("decimal", preset="raw", decimal=",").startswith("',' is the delimiter already")


@pytest.mark.parametrize("kind", ["xlsx", "jsonl"])
@pytest.mark.parametrize(
    "option, said",
    [("preset", "raw"), ("delimiter", ";"), ("decimal", "."), ("bom", True), ("guard", False)],
)
def test_an_option_of_csv_is_refused_beside_another_format(kind: str, option: str, said: object) -> None:
    problem = the_problem(option, **{"format": kind, option: said})
    assert problem == f"It is an option of CSV: leave it out beside the format {kind}."


def test_no_guard_has_to_be_meant() -> None:
    assert "name the preset too" in the_problem("guard", guard=False)
    assert "name the preset too" in the_problem("guard", guard=False, delimiter=";", format="csv")
    for preset in Preset:
        assert chosen(preset=preset.value, guard=False).guard is False
    assert chosen(preset="raw", guard=True).guard is True
    assert chosen(guard=True) == chosen()


@pytest.mark.parametrize(
    "option, filters, words",
    [
        ("filters", {"stat": "active"}, "'stat' is not known: did you mean 'state'? There are 'state', 'from'."),
        ("filters.state", {"state": "actve"}, "did you mean 'active'? There are 'active', 'ended'."),
        ("filters.state", {"state": "A"}, "There are 'active', 'ended'."),
        ("filters.from", {"from": "1 May"}, "'1 May' is no date: write it like 2026-03-31."),
        ("filters.from", {"from": "2026-02-30"}, "no date"),
        ("filters.from", {"from": "20260228"}, "no date"),
        ("filters.from", {"from": "2026-W09-1"}, "no date"),
        ("filters.from", {"from": "٢٠٢٦-01-01"}, "no date"),
        ("filters.from", {"from": 20260228}, "one text"),
        ("filters", "state:active", "an object"),
        ("filters", None, "an object"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(option: str, filters: object, words: str) -> None:
    assert words in the_problem(option, filters=filters)


def test_a_filter_is_refused_where_the_profile_has_none() -> None:
    offer = replace(OFFER, profile=lambda: own_reader().profile)
    with pytest.raises(InvalidOptions, match="There are none here"):
        chosen(offer=offer, filters={"state": "active"})


@pytest.mark.parametrize(
    "said, option",
    [
        ({"colums": ["id"]}, "colums"),
        ({"timezone": "UTC"}, "timezone"),
        ({"email": "other@example.org"}, "email"),
        ({"preset": None}, "preset"),
        ({"format": ["csv", "xlsx"]}, "format"),
        ({"bom": "true"}, "bom"),
        ({"guard": 1}, "guard"),
        ({"columns": "id,name"}, "columns"),
        ({"columns": ["id", 7]}, "columns"),
        ({"columns": {"id": 1}}, "columns"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(said: Mapping[str, Any], option: str) -> None:
    assert the_problem(option, **said)


def test_a_mistyped_option_is_told_the_nearest() -> None:
    assert "did you mean 'columns'?" in the_problem("colums", colums=["id"])
    assert "did you mean 'timeZone'?" in the_problem("timezone", timezone="UTC")


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = problems(
        format="cvs", columns=["x", "id", "id"], language="pt", timeZone="Mars", delimiter="!", bom=1, colour="red"
    )
    assert [option for option, _ in found] == [
        "colour", "bom", "format", "delimiter", "columns", "columns", "language", "timeZone"
    ]  # fmt: skip


def test_a_very_long_request_gets_a_short_answer() -> None:
    columns = [f"column {number}" for number in range(50_000)]
    said: dict[str, Any] = {"columns": columns, "language": "x" * 1_000_000, "timeZone": "y" * 1_000_000, "z" * 999: 1}
    with pytest.raises(InvalidOptions) as refused:
        chosen(**said)
    assert len(refused.value.problems) <= 20
    assert sum(len(option) + len(problem) for option, problem in refused.value.problems) < 8000


TEXTS = st.one_of(st.sampled_from([*Format, *Preset, *LANGUAGES, *DELIMITERS, *DECIMALS, *ZONES, *COLUMNS]), st.text())
VALUES = st.one_of(TEXTS, st.booleans(), st.none(), st.integers(), st.lists(TEXTS, max_size=5))
SAID = st.dictionaries(
    st.one_of(st.sampled_from(NAMES), st.text()), st.one_of(VALUES, st.dictionaries(TEXTS, VALUES, max_size=3))
)


@given(said=SAID, likes=st.builds(Likes, languages=st.tuples(TEXTS), time_zones=st.tuples(TEXTS)))
def test_whatever_is_said_is_options_or_problems(said: Mapping[str, Any], likes: Likes) -> None:
    with suppress(InvalidOptions):
        options = choose(read_wanted(said), OFFER, likes)
        assert options == choose(read_wanted(say(options)), OFFER, NO_LIKES)


GOOD: dict[str, st.SearchStrategy[Any]] = {
    "columns": st.permutations(COLUMNS).flatmap(lambda names: st.integers(1, len(names)).map(lambda n: names[:n])),
    "language": st.sampled_from(LANGUAGES),
    "timeZone": st.sampled_from(["UTC", "Europe/Zurich"]),
    "filters": st.fixed_dictionaries({}, optional={"state": st.sampled_from(["active", "ended"])}),
}
CSV: dict[str, st.SearchStrategy[Any]] = {
    "preset": st.sampled_from([preset.value for preset in Preset]),
    "delimiter": st.sampled_from([";", "tab", "|"]),
    "decimal": st.just("."),
    "bom": st.booleans(),
}


@given(
    said=st.one_of(
        st.fixed_dictionaries({}, optional=GOOD | CSV),
        st.fixed_dictionaries({"format": st.sampled_from(["xlsx", "jsonl"])}, optional=GOOD),
    )
)
def test_what_came_of_a_wish_can_be_asked_for_again(said: Mapping[str, Any]) -> None:
    options = choose(read_wanted(said), OFFER, NO_LIKES)
    assert options == choose(read_wanted(say(options)), OFFER, Likes(languages=("nl",)))
