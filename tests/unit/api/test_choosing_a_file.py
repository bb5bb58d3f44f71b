"""Options of an export: as JSON of a POST, or as the query of the GET."""

import json
from typing import Any
from urllib.parse import quote, urlencode

import httpx2
import pytest
from msgspec.structs import replace as changed

from memberships_export.domain.formats.options import FilterValue, Format, Options
from memberships_export.domain.source.profile import Filter
from memberships_export.domain.source.reader import reader_of
from tests.fakes.world import World
from tests.readers import own_reader
from tests.unit.api.service import Service, assert_problem, bearer, exports_api, own_app, token_for

POST = "/memberships/exports"
GET = "/memberships/export"
FILTERS = {
    "state": Filter(param="status", values={"active": "A", "ended": "E"}, labels={"de": "Zustand"}),
    "from": Filter(param="valid_from", type="date"),
}


@pytest.fixture
def filtering() -> Service:
    """A service whose profile has filters."""
    known = own_reader().known
    reader = reader_of(changed(known, profile=changed(known.profile, filters=FILTERS)))
    world = World(current=reader)
    return Service(world, own_app(exports_api(world)))


def options_of(service: Service) -> Options:
    [record] = service.world.store.records.values()
    return record.options


def shown_in(response: httpx2.Response) -> dict[str, Any]:
    assert response.status_code in {200, 202}, response.text
    options: dict[str, Any] = response.json()["options"]
    return options


def errors(response: httpx2.Response) -> dict[str, str]:
    problem = assert_problem(response, 422, "invalid_options")
    assert all(f"{error['parameter']}: {error['message']}" in problem["detail"] for error in problem["errors"])
    return {error["parameter"]: error["message"] for error in problem["errors"]}


SAID = {
    "format": "csv",
    "columns": ["name", "id"],
    "language": "de-CH",
    "timeZone": "Europe/Zurich",
    "delimiter": "tab",
    "decimal": ",",
    "bom": False,
    "guard": False,
    "preset": "excel-de",
}


def test_a_post_takes_every_option_and_shows_it_again(service: Service) -> None:
    shown = shown_in(service.post(POST, json=SAID))
    assert shown == SAID | {"filters": {}}
    assert options_of(service).delimiter == "\t"


def test_a_get_takes_the_same_in_its_query(service: Service) -> None:
    first = service.post(POST, json=SAID)
    query = "format=csv&columns=name,id&language=de-CH&timeZone=Europe/Zurich&delimiter=tab&decimal=%2C"
    second = service.get(f"{GET}?{query}&bom=false&guard=FALSE&preset=excel-de")
    assert second.status_code == 200
    assert second.json()["exportId"] == first.json()["exportId"]


def test_columns_may_be_repeated_in_the_query(service: Service) -> None:
    assert shown_in(service.get(f"{GET}?columns=name&columns=id,state"))["columns"] == ["name", "id", "state"]


@pytest.mark.parametrize("kind", ["xlsx", "jsonl"])
def test_another_format_has_no_options_of_csv_but_the_usual_preset_for_older_clients(
    service: Service, kind: str
) -> None:
    response = service.get(f"{GET}?format={kind}")
    assert shown_in(response) == {
        "format": kind,
        "columns": None,
        "language": "en",
        "timeZone": "UTC",
        "delimiter": None,
        "decimal": None,
        "bom": None,
        "guard": None,
        "preset": None,
        "filters": {},
    }
    assert response.json()["preset"] == "spreadsheet"
    assert options_of(service).format is Format(kind)


def test_two_wishes_that_differ_only_in_column_order_are_two_exports(service: Service) -> None:
    first, second = (service.post(POST, json={"columns": columns}) for columns in (["id", "name"], ["name", "id"]))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["exportId"] != second.json()["exportId"]


def test_all_columns_in_their_order_are_the_wish_for_all(service: Service) -> None:
    names = [column.name for column in own_reader().profile.columns]
    first, second = service.get(GET), service.post(POST, json={"columns": names})
    assert second.json()["exportId"] == first.json()["exportId"]
    assert second.json()["options"]["columns"] is None


def test_what_is_shown_can_be_asked_for_again(service: Service) -> None:
    first = service.post(POST, json=SAID)
    repeated = {name: value for name, value in first.json()["options"].items() if value is not None}
    assert service.post(POST, json=repeated).json()["exportId"] == first.json()["exportId"]


def test_language_and_zone_come_from_token_and_browser_where_nothing_is_said(service: Service) -> None:
    token = token_for("user-1", zoneinfo="Europe/Rome")
    headers = bearer(token) | {"Accept-Language": "pt, it;q=0.9, de;q=0.8"}
    shown = shown_in(service.client.get(GET, headers=headers))
    assert (shown["language"], shown["timeZone"]) == ("it", "Europe/Rome")
    said = shown_in(service.client.post(POST, headers=headers, json={"language": "nl", "timeZone": "UTC"}))
    assert (said["language"], said["timeZone"]) == ("nl", "UTC")


def test_filters_are_an_object_in_json_and_pairs_in_the_query(filtering: Service) -> None:
    first = filtering.post(POST, json={"filters": {"state": "active", "from": "2026-01-31"}})
    second = filtering.get(f"{GET}?filter=from:2026-01-31&filter=state:active")
    assert shown_in(first)["filters"] == {"from": "2026-01-31", "state": "active"}
    assert second.json()["exportId"] == first.json()["exportId"]
    assert options_of(filtering).filters == (FilterValue("from", "2026-01-31"), FilterValue("state", "active"))


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"format": "pdf"}, "format", "'pdf' is not known. There are 'csv', 'xlsx', 'jsonl'."),
    ({"format": ""}, "format", "'' is not known"),
    ({"preset": "xlsx"}, "preset", "'xlsx' is not known"),
    ({"preset": "excel-pl"}, "preset", "did you mean 'excel-"),
    ({"columns": ["id", "nmae"]}, "columns", "did you mean 'name'"),
    ({"columns": ["id", "id"]}, "columns", "'id' is named twice."),
    ({"columns": []}, "columns", "The list is empty."),
    ({"language": "pt"}, "language", "There are 'en', 'de', 'fr', 'it', 'nl', 'es'."),
    ({"timeZone": "Europe/Berln"}, "timeZone", "did you mean 'Europe/Berlin'"),
    ({"timeZone": "Munich"}, "timeZone", "such as 'Europe/Berlin'"),
    ({"delimiter": ":"}, "delimiter", "There are ',', ';', 'tab', '|'."),
    ({"delimiter": ",", "decimal": ","}, "delimiter", "is the decimal mark already"),
    ({"decimal": ","}, "decimal", "is the delimiter already"),
    ({"decimal": "'"}, "decimal", "There are '.', ','."),
    ({"bom": "maybe"}, "bom", "true or false"),
    ({"guard": False}, "guard", "name the preset too"),
    ({"format": "xlsx", "delimiter": ";"}, "delimiter", "leave it out beside the format xlsx"),
    ({"format": "jsonl", "guard": True}, "guard", "leave it out beside the format jsonl"),
    ({"format": "xlsx", "preset": "raw"}, "preset", "leave it out beside the format xlsx"),
    ({"colums": "id"}, "colums", "did you mean 'columns'?"),
    ({"timezone": "UTC"}, "timezone", "did you mean 'timeZone'?"),
    ({"utm_source": "mail"}, "utm_source", "is not known"),
    ({"email": "other@example.org"}, "email", "is not known"),
    ({"userId": "user-2"}, "userId", "is not known"),
]


def in_query(said: dict[str, Any]) -> str:
    return urlencode({name: _in_query(value) for name, value in said.items()})


def _in_query(value: object) -> str:
    return ",".join(value) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("said, option, words", BAD, ids=[json.dumps(said) for said, _, _ in BAD])
def test_what_cannot_be_had_is_refused_by_name_and_starts_nothing(
    service: Service, said: dict[str, Any], option: str, words: str
) -> None:
    for response in (service.post(POST, json=said), service.get(f"{GET}?{in_query(said)}")):
        found = errors(response)
        assert list(found) == [option]
        assert words in found[option]
    assert service.nothing_happened()


@pytest.mark.parametrize(
    "content, option",
    [
        (b'{"preset": null}', "preset"),
        (b'{"format": ["csv"]}', "format"),
        (b'{"columns": "id,name"}', "columns"),
        (b'{"columns": [1]}', "columns"),
        (b'{"columns": null}', "columns"),
        (b'{"bom": "true"}', "bom"),
        (b'{"guard": 0}', "guard"),
        (b'{"filters": ["state:active"]}', "filters"),
        (b'{"filters": {"state": true}}', "filters.state"),
        (b'{"timeZone": 1e999}', "timeZone"),
        (b'{"columns": ["\\ud800"]}', "columns"),
    ],
)
def test_json_of_another_kind_is_refused_by_name(service: Service, content: bytes, option: str) -> None:
    response = service.post(POST, content=content, headers={"Content-Type": "application/json"})
    assert list(errors(response)) == [option]
    assert service.nothing_happened()


@pytest.mark.parametrize(
    "query, option, words",
    [
        ("format=csv&format=xlsx", "format", "one text"),
        ("bom=true&bom=false", "bom", "true or false"),
        ("columns=", "columns", "The list is empty."),
        ("columns=id,", "columns", "'' is not known"),
        ("filters=state:active", "filters", "filter=name:value"),
        ("filter=state:active", "filters", "There are none here"),
        ("%00=1", "\\x00", "is not known"),
    ],
)
def test_a_query_of_another_kind_is_refused_by_name(service: Service, query: str, option: str, words: str) -> None:
    found = errors(service.get(f"{GET}?{query}"))
    assert list(found) == [option]
    assert words in found[option]
    assert service.nothing_happened()


@pytest.mark.parametrize(
    "query, option, words",
    [
        ("filter=stat:active", "filters", "did you mean 'state'?"),
        ("filter=state", "filters.state", "'' is not known. There are 'active', 'ended'."),
        ("filter=state:actve", "filters.state", "did you mean 'active'?"),
        ("filter=state:active&filter=state:ended", "filters.state", "one text"),
        ("filter=from:1.5.2026", "filters.from", "write it like 2026-03-31"),
        ("filter=from:2026-02-29", "filters.from", "is no date"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_by_name(filtering: Service, query: str, option: str, words: str) -> None:
    found = errors(filtering.get(f"{GET}?{query}"))
    assert list(found) == [option]
    assert words in found[option]


def test_all_that_is_wrong_is_told_at_once(service: Service) -> None:
    found = errors(service.post(POST, json={"format": "cvs", "columns": ["x"], "bom": 1, "colour": "red"}))
    assert list(found) == ["colour", "bom", "format", "columns"]


def test_a_huge_request_gets_a_short_answer(service: Service) -> None:
    columns = [f"column-{number}" for number in range(60_000)]
    response = service.post(POST, json={"columns": columns} | {f"option-{number}": 1 for number in range(5_000)})
    assert_problem(response, 422, "invalid_options")
    assert len(response.content) < 20_000


def test_a_post_does_not_leave_options_in_its_query_aside(service: Service) -> None:
    found = errors(service.post(f"{POST}?format=xlsx&colums=id"))
    assert found == dict.fromkeys(("format", "colums"), "It is in the query: a POST says all in its JSON body.")
    assert service.nothing_happened()


def test_a_key_used_again_with_other_columns_is_refused(service: Service) -> None:
    key = {"Idempotency-Key": "monday"}
    service.post(POST, headers=key, json={"columns": ["id", "name"]})
    assert service.post(POST, headers=key, json={"columns": ["id", "name"]}).status_code == 200
    assert_problem(service.post(POST, headers=key, json={"columns": ["name", "id"]}), 422, "idempotency_key_reused")


def test_the_document_offers_each_option_in_body_and_query(service: Service) -> None:
    paths = service.client.get("/openapi.json").json()
    parameters = {one["name"] for one in paths["paths"][GET]["get"]["parameters"]}
    properties = set(paths["components"]["schemas"]["ExportOptions"]["properties"])
    assert properties == {*SAID, "filters"}
    assert parameters == {*SAID, "filter"}


# --- What may be chosen ----------------------------------------------------------------------------------------------


def test_a_form_can_be_built_from_what_is_offered(filtering: Service) -> None:
    offer = filtering.get(f"{POST}/options").json()
    assert [column["name"] for column in offer["columns"]] == [column.name for column in own_reader().profile.columns]
    assert all(column["label"] and column["type"] for column in offer["columns"])
    csv = offer["formats"][0]
    assert (csv["name"], csv["mediaType"], csv["fileEnding"]) == ("csv", "text/csv", "csv")
    assert csv["options"] == ["format", "columns", *list(SAID)[2:], "filters"]
    assert offer["presets"][3] == {
        "name": "excel-de",
        "meaning": "the same for German: semicolons, decimal commas",
        "sets": {"language": "de", "delimiter": ";", "decimal": ",", "bom": True, "guard": True},
    }
    assert "language" not in offer["presets"][0]["sets"]
    assert offer["delimiters"] == [",", ";", "tab", "|"]
    assert offer["decimals"] == [".", ","]
    assert {"tag": "de", "name": "Deutsch"} in offer["languages"]
    assert offer["filters"] == [
        {"name": "state", "label": "state", "type": "choice", "values": ["active", "ended"]},
        {"name": "from", "label": "from", "type": "date", "values": None},
    ]
    assert offer["timeZones"]["count"] > 300
    assert offer["timeZones"]["found"] == []
    assert offer["language"] == "en"


def test_what_is_offered_by_default_is_what_one_gets(service: Service) -> None:
    headers = {"Accept-Language": "fr-CA"}
    offer = service.get(f"{POST}/options?language=de", headers=headers).json()
    assert offer["language"] == "de"
    assert offer["defaults"] == shown_in(service.get(GET, headers=headers))
    assert offer["defaults"]["language"] == "fr-CA"


def test_each_preset_sets_what_it_says(service: Service) -> None:
    for preset in service.get(f"{POST}/options").json()["presets"]:
        shown = shown_in(service.post(POST, json={"preset": preset["name"]}, user=preset["name"]))
        assert preset["sets"].items() <= shown.items()


def test_labels_are_in_the_language_that_is_asked_for(filtering: Service) -> None:
    labels = {
        language: [one["label"] for one in filtering.get(f"{POST}/options?language={language}").json()["filters"]]
        for language in ("de", "de-AT", "fr")
    }
    assert labels == {"de": ["Zustand", "from"], "de-AT": ["Zustand", "from"], "fr": ["state", "from"]}


@pytest.mark.parametrize("zone, first", [("berl", "Europe/Berlin"), ("new york", "America/New_York"), ("UTC", "UTC")])
def test_time_zones_are_found_by_a_part_of_their_names(service: Service, zone: str, first: str) -> None:
    found = service.get(f"{POST}/options?zone={quote(zone)}").json()["timeZones"]["found"]
    assert found[0] == first
    assert len(found) <= 20


@pytest.mark.parametrize(
    "query, option",
    [("language=pt", "language"), ("zne=berl", "zne")],
)
def test_options_of_another_kind_are_refused_by_name(service: Service, query: str, option: str) -> None:
    assert list(errors(service.get(f"{POST}/options?{query}"))) == [option]


def test_too_long_a_text_is_looked_for_nowhere(service: Service) -> None:
    assert_problem(service.get(f"{POST}/options?zone={'x' * 101}"), 422, "invalid_request")


def test_options_are_for_users_only_and_are_no_export(service: Service) -> None:
    assert service.client.get(f"{POST}/options").status_code == 401
    refused = service.call("DELETE", f"{POST}/options")
    assert refused.status_code == 405
    assert service.get(f"{POST}/options").headers["Cache-Control"] == "no-store"
    assert service.nothing_happened()
