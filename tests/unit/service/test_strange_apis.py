"""Memberships APIs that do what few do: nothing wrong is mailed, and what is right is exported."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qsl

import pytest

from memberships_export.domain.errors import LONGEST_REASON, PlaceForgotten
from memberships_export.domain.export.record import Export
from memberships_export.domain.formats.options import Preset, of_preset
from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.domain.source.profile import KnownProfile
from tests.fakes.awaited import AsksAhead
from tests.fakes.world import World
from tests.readers import a_reader

USER = "42"
ROWS = 'rows = { path = "rows", key = ["id"], owner = "user" }'
SCOPED = 'rows = { path = "rows", key = ["id"] }'
RISING = 'rows = { path = "rows", key = ["id"], owner = "user", order = "rising" }'
LINKED = 'paginator = { type = "json_link", next_url_path = "next" }'
CURSOR = 'paginator = { type = "cursor", cursor_path = "next", cursor_param = "c" }'
ONE_PAGE = 'paginator = { type = "single_page" }'
BY_PARAM = 'request = { path = "/m", params = { user = "{user.id}" } }'
PAGED = 'paginator = { type = "page_number" }\ntotal = { path = "total" }'
OFFSET = 'paginator = { type = "offset", size_param = "limit" }'
POSTED = 'request = { path = "/m", method = "POST", json = { user = "{user.id}", after = 0 } }'

Answers = Callable[[dict[str, str]], object]


@dataclass
class Api(AsksAhead):
    """Answers what a function makes of the query, or of the body of a POST."""

    answers: Answers
    asked: list[Call] = field(default_factory=list)
    base_url: str = "https://api.example.org"

    def fetch(self, call: Call, profile: KnownProfile) -> Answer:  # noqa: ARG002  (a MembershipSource)
        self.asked.append(call)
        answer = self.answers(json.loads(call.body) if call.body else dict(parse_qsl(call.query)))
        return Answer(answer if isinstance(answer, bytes) else json.dumps(answer).encode())


def rows(*ids: object, user: str = USER) -> list[dict[str, Any]]:
    return [{"id": one, "user": user, "name": f"Row {one}"} for one in ids]


def exported(api: Api, *profile: str, column: str = 'name = "name"', user: str = USER) -> tuple[World, Export]:
    text = "\n".join(["version = 1", *profile, f"columns = [{{ {column} }}]"])
    world = World(source=cast("Any", api), current=a_reader(text))
    export = world.request(user, of_preset(Preset.RAW))
    world.work()
    return world, world.export(export)


def why(world: World, export: Export) -> str:
    assert world.mails == []
    assert export.failure is not None, export
    return export.failure.reason


# --- Rows of others ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("link", ["?page=2", "?user=43&page=2", "?user=42&user=43&page=2", "?user=&page=2"])
def test_where_rows_name_no_owner_a_link_that_asks_for_others_is_not_followed(link: str) -> None:
    def answer(asked: dict[str, str]) -> object:
        return {"rows": rows(1) if asked["user"] == USER else [], "next": link if asked["user"] == USER else None}

    api = Api(answer)

    assert "without the user that was asked for" in why(*exported(api, BY_PARAM, SCOPED, LINKED))
    assert len(api.asked) == 2, "nobody, and the first page"


def test_where_rows_name_no_owner_a_link_that_asks_for_the_user_is_followed() -> None:
    def answer(asked: dict[str, str]) -> object:
        if asked["user"] != USER:
            return {"rows": []}
        return {"rows": rows(2)} if "page" in asked else {"rows": rows(1), "next": "/m?page=2&user=%34%32"}

    assert exported(Api(answer), BY_PARAM, SCOPED, LINKED)[1].progress.rows == 2


@pytest.mark.parametrize("answer", [{"error": "no such user"}, None, []])
def test_an_error_for_nobody_says_that_it_was_for_nobody(answer: object) -> None:
    reason = why(*exported(Api(lambda _: answer), BY_PARAM, SCOPED, ONE_PAGE))

    assert "a user that cannot exist" in reason
    assert "name rows.owner" in reason


@pytest.mark.parametrize("user", ["x') or ('1' eq '1", "42)/all(", "42;all"])
@pytest.mark.parametrize(
    "request_",
    [
        "request = { path = \"/Members('{user.id}')/m\" }",
        'request = { path = "/m", params = { user = "{user.id}" }, headers = { Filter = "user eq {user.id}" } }',
    ],
)
def test_a_user_that_would_change_a_longer_text_is_not_asked_for(request_: str, user: str) -> None:
    api = Api(lambda _: {"rows": []})

    assert "cannot stand in" in why(*exported(api, request_, ROWS, ONE_PAGE, user=user))
    assert api.asked == []


# --- Rows that are missing or double ----------------------------------------------------------------------------------


@pytest.mark.parametrize("cap", [1, 2, 3])
def test_where_an_api_sends_one_row_at_a_time_no_row_is_lost(cap: int) -> None:
    def answer(asked: dict[str, str]) -> object:
        start = int(asked["offset"])
        return {"rows": rows(*range(1, 6))[start : start + min(cap, int(asked["limit"]))]}

    _, export = exported(Api(answer), BY_PARAM, RISING, OFFSET)

    assert export.progress.rows == 5


@pytest.mark.parametrize("pages", [[[1, 2], ["x"], [1, 2]], [[1, 2], ["1", "2"]], [["x"], [1, 2], ["y"], [2]]])
def test_where_keys_shall_rise_numbers_beside_text_are_an_error(pages: list[list[object]]) -> None:
    def answer(asked: dict[str, str]) -> object:
        number = int(asked.get("c", "0"))
        return {"rows": rows(*pages[number]), "next": str(number + 1) if number + 1 < len(pages) else None}

    assert "is a number, and others where it is text" in why(*exported(Api(answer), BY_PARAM, RISING, CURSOR))


@pytest.mark.parametrize("name", ["errors", "error"])
@pytest.mark.parametrize("data", [{"data": None}, {"data": {"rows": None}}])
def test_errors_in_place_of_rows_are_no_empty_file_though_the_profile_does_not_name_them(
    data: dict[str, object], name: str
) -> None:
    deep = ROWS.replace('"rows"', '"data.rows"')

    assert f"holds errors at `$.{name}`" in why(
        *exported(Api(lambda _: data | {name: [{"message": "boom"}]}), BY_PARAM, deep, ONE_PAGE)
    )


@pytest.mark.parametrize("data", [{"data": None}, {"data": {"rows": None}}, {"data": None, "errors": []}])
def test_null_in_place_of_rows_is_none(data: dict[str, object]) -> None:
    deep = ROWS.replace('"rows"', '"data.rows"')

    assert exported(Api(lambda _: data), BY_PARAM, deep, ONE_PAGE)[1].progress.grade == "ended"


def test_rows_that_are_not_where_the_profile_says_are_an_error_in_a_list_too() -> None:
    api = Api(lambda _: {"data": [{"items": rows(1)}]})

    assert "has no rows at `$.data[0].rows`" in why(
        *exported(api, BY_PARAM, ROWS.replace('"rows"', '"data[0].rows"'), ONE_PAGE)
    )


# --- Ways on ----------------------------------------------------------------------------------------------------------


def test_a_path_that_ends_with_the_user_may_come_back_in_links() -> None:
    def answer(asked: dict[str, str]) -> object:
        return {"rows": rows(2)} if asked else {"rows": rows(1), "next": "https://api.example.org/m/42?page=2"}

    assert exported(Api(answer), 'request = { path = "/m/{user.id}" }', ROWS, LINKED)[1].progress.rows == 2


def test_a_key_that_comes_back_in_links_is_not_kept() -> None:
    def answer(asked: dict[str, str]) -> object:
        return {"rows": rows(1), "next": "/m?user=42&page=2&key=secret"} if len(asked) == 1 else {"rows": rows(2)}

    api = Api(answer)
    auth = 'auth = { type = "api_key", name = "key", api_key = "env:K", location = "query", allow_key_in_url = true }'
    exported(api, BY_PARAM, auth, ROWS, LINKED)

    assert [call.query for call in api.asked] == ["user=42", "user=42&page=2"]


def test_a_total_on_the_first_page_only_is_an_end() -> None:
    def answer(asked: dict[str, str]) -> object:
        page = int(asked["page"])
        if page > 2:
            raise PlaceForgotten
        return {"rows": rows(page)} | ({"total": 2} if page == 1 else {})

    assert exported(Api(answer), BY_PARAM, RISING, PAGED)[1].progress.grade == "counted"


def test_an_empty_first_page_with_more_behind_it_is_an_error_where_the_last_key_asks_for_it() -> None:
    paginator = 'paginator = { type = "last_key", param = "after", has_more_path = "more" }'

    assert "without a key they cannot be asked for" in why(
        *exported(Api(lambda _: {"rows": [], "more": True}), BY_PARAM, ROWS, paginator)
    )


@pytest.mark.parametrize(
    "paging", [CURSOR.replace('"c"', '"after"'), 'paginator = { type = "last_key", param = "after" }']
)
def test_where_the_body_has_a_number_the_next_place_is_one_too(paging: str) -> None:
    def answer(asked: dict[str, Any]) -> object:
        assert isinstance(asked["after"], int)
        found = rows(asked["after"] + 1) if asked["after"] < 3 else []
        return {"rows": found, "next": asked["after"] + 1 if found else None}

    assert exported(Api(answer), POSTED, ROWS, paging)[1].progress.rows == 3


# --- What is said -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Full name", "a.b", "x[0]"])
@pytest.mark.parametrize("text", [b"Zo\xff", b"Zo\\ud800"])
def test_text_that_is_no_unicode_is_told_for_a_column_of_any_name(name: str, text: bytes) -> None:
    page = b'{"rows": [{"id": 1, "user": "42", %b: "%b"}]}' % (json.dumps(name).encode(), text)

    reason = why(*exported(Api(lambda _: page), BY_PARAM, ROWS, ONE_PAGE, column=f"name = {json.dumps(name)}"))

    assert "holds text that is no Unicode" in reason
    assert "Zo" not in reason


@pytest.mark.parametrize("total", ["0" * 5000 + "2", "9" * 5000, "9" * 20])
def test_a_total_of_thousands_of_digits_is_none(total: str) -> None:
    reason = why(
        *exported(
            Api(lambda _: {"rows": rows(1), "total": total}),
            BY_PARAM,
            ROWS,
            ONE_PAGE,
            'total = { path = "total", exact = false }',
        )
    )

    assert "the total at total is no whole number" in reason


def test_rows_that_move_are_not_told_as_pages_that_were_lost() -> None:
    world, export = exported(Api(lambda _: {"rows": rows(1, 2), "total": 9}), BY_PARAM, RISING, PAGED)

    assert export.progress.restarts == 3
    assert "lost or damaged" not in why(world, export)


@pytest.mark.parametrize("one, told", [("a", "row a, 7 twice"), ("a\x00\u202e", "row a\ufffd\ufffd, 7 twice")])
def test_keys_of_several_parts_or_strange_ones_can_be_told(one: str, told: str) -> None:
    twice = [{"id": one, "part": 7, "user": USER, "name": "x"}] * 2
    keyed = 'rows = { path = "rows", key = ["id", "part"], owner = "user" }'

    assert told in why(*exported(Api(lambda _: {"rows": twice}), BY_PARAM, keyed, ONE_PAGE))


@pytest.mark.parametrize("link", ["https://" + "a" * 100_000 + "/m?page=2", "https://a\x01b/m?page=2"])
def test_what_an_api_chose_makes_no_reason_that_cannot_be_kept(link: str) -> None:
    reason = why(*exported(Api(lambda _: {"rows": rows(1), "next": link}), BY_PARAM, ROWS, LINKED))

    assert "leads to another host" in reason
    assert len(reason) <= LONGEST_REASON
    assert reason.isprintable()
