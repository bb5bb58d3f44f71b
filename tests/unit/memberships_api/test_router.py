from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import msgspec
import pytest
from fastapi import FastAPI, HTTPException, Request
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from memberships_api.forms import MEDIA_TYPES
from memberships_api.membership import Membership
from memberships_api.repository import MembershipsUnavailable, Page, PageRequest
from memberships_api.router import memberships_router
from memberships_api.sample import sample_memberships
from memberships_api.sqlite_repository import SqliteMembershipRepository
from memberships_api.staging import Draft, Staging


class SettableClock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def user_in_token(request: Request) -> str:
    scheme, _, user_id = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer":
        raise HTTPException(401, "Send a bearer token.")
    return user_id


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def client(repository: SqliteMembershipRepository, clock: SettableClock) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(memberships_router(repository, user_in_token, clock))
    with TestClient(app, headers={"Authorization": "Bearer user-1"}) as client:
        yield client


def get(client: TestClient, **query: str | int) -> httpx2.Response:
    return client.get("/memberships", params=query)


def cursor_of(client: TestClient, **query: str | int) -> str:
    return str(get(client, limit=3, **query).json()["nextCursor"])


def refused_parameter(response: httpx2.Response) -> str:
    assert response.status_code == 422
    [problem] = response.json()["detail"]
    location: list[str] = problem["loc"]
    assert location[0] == "query"
    return location[1]


def test_a_page_is_json_with_items_next_cursor_and_total(
    client: TestClient, repository: SqliteMembershipRepository
) -> None:
    added = list(sample_memberships(40, "user-1"))
    repository.add(added)
    response = get(client)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json() == {"items": msgspec.to_builtins(added), "nextCursor": None, "total": 40}


def test_the_fields_of_a_row_are_those_of_the_contract_in_its_order(
    client: TestClient, repository: SqliteMembershipRepository
) -> None:
    repository.add(sample_memberships(1, "user-1"))
    assert list(get(client).json()["items"][0].items()) == [
        ("id", 1),
        ("uuid", "c6c289e4-9e9c-805b-8214-000000000001"),
        ("name", "Basic"),
        ("userId", "user-1"),
        ("recurringPrice", "29.90"),
        ("validFrom", "2010-01-01"),
        ("validUntil", None),
        ("state", "active"),
        ("assignedBy", "front desk"),
        ("paymentMethod", "sepa"),
        ("billingInterval", "month"),
        ("billingPeriods", 1),
    ]


def test_a_page_has_100_rows_when_no_limit_is_given(client: TestClient, repository: SqliteMembershipRepository) -> None:
    repository.add(sample_memberships(101, "user-1"))
    assert len(get(client).json()["items"]) == 100


def test_a_user_sees_only_their_own_memberships(client: TestClient, repository: SqliteMembershipRepository) -> None:
    repository.add(sample_memberships(5, "user-2"))
    assert get(client).json() == {"items": [], "nextCursor": None, "total": 0}


def test_the_state_filter_holds_on_every_page(client: TestClient, repository: SqliteMembershipRepository) -> None:
    repository.add(sample_memberships(50, "user-1"))
    first = get(client, state="active", limit=6).json()
    second = get(client, state="active", limit=6, cursor=first["nextCursor"]).json()
    assert [row["state"] for row in first["items"] + second["items"]] == ["active"] * 10
    assert (first["total"], second["total"], second["nextCursor"]) == (10, 10, None)


@pytest.mark.parametrize("limit", ["0", "-1", "10001", "x", "1.5", ""])
def test_a_limit_that_is_no_number_from_1_to_10000_is_refused_by_name(client: TestClient, limit: str) -> None:
    assert refused_parameter(get(client, limit=limit)) == "limit"


@pytest.mark.parametrize("limit", [1, 10_000])
def test_the_smallest_and_the_largest_limit_are_accepted(client: TestClient, limit: int) -> None:
    assert get(client, limit=limit).status_code == 200


def test_an_empty_state_filter_is_refused_by_name(client: TestClient) -> None:
    assert refused_parameter(get(client, state="")) == "state"


@pytest.mark.parametrize("cursor", ["", "x", "%00", "ü", "A" * 60_000])
def test_a_malformed_cursor_is_refused_by_name(client: TestClient, cursor: str) -> None:
    assert refused_parameter(get(client, cursor=cursor)) == "cursor"


def test_a_forged_cursor_is_refused_by_name(client: TestClient, repository: SqliteMembershipRepository) -> None:
    repository.add(sample_memberships(10, "user-1"))
    cursor = cursor_of(client)
    forged = ("A" if cursor[0] != "A" else "B") + cursor[1:]
    assert refused_parameter(get(client, cursor=forged)) == "cursor"


def test_the_cursor_of_another_user_is_refused_by_name(
    client: TestClient, repository: SqliteMembershipRepository
) -> None:
    repository.add(sample_memberships(10, "user-1"))
    query = {"cursor": cursor_of(client)}
    response = client.get("/memberships", params=query, headers={"Authorization": "Bearer user-2"})
    assert refused_parameter(response) == "cursor"


def test_the_cursor_of_another_state_filter_is_refused_by_name(
    client: TestClient, repository: SqliteMembershipRepository
) -> None:
    repository.add(sample_memberships(50, "user-1"))
    assert refused_parameter(get(client, cursor=cursor_of(client), state="active")) == "cursor"
    assert refused_parameter(get(client, cursor=cursor_of(client, state="active"))) == "cursor"


def test_a_cursor_is_refused_when_it_is_older_than_seven_days(
    client: TestClient, repository: SqliteMembershipRepository, clock: SettableClock
) -> None:
    repository.add(sample_memberships(10, "user-1"))
    cursor = cursor_of(client)
    clock.now += timedelta(days=7)
    assert get(client, cursor=cursor).status_code == 200
    clock.now += timedelta(seconds=1)
    response = get(client, cursor=cursor)
    assert refused_parameter(response) == "cursor"
    assert response.json()["detail"][0]["msg"] == "The cursor is older than 7 days: start again without a cursor."


def test_every_page_renews_the_seven_days(
    client: TestClient, repository: SqliteMembershipRepository, clock: SettableClock
) -> None:
    repository.add(sample_memberships(10, "user-1"))
    cursor = cursor_of(client)
    clock.now += timedelta(days=6)
    cursor = cursor_of(client, cursor=cursor)
    clock.now += timedelta(days=6)
    assert [row["id"] for row in get(client, cursor=cursor).json()["items"]] == [7, 8, 9, 10]


def test_the_answer_of_the_application_decides_who_is_let_in(client: TestClient) -> None:
    response = client.get("/memberships", headers={"Authorization": "Basic x"})
    assert (response.status_code, response.json()) == (401, {"detail": "Send a bearer token."})


def test_who_asks_is_checked_before_what_is_asked(client: TestClient) -> None:
    assert client.get("/memberships?limit=x&cursor=x", headers={"Authorization": ""}).status_code == 401


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_allowed(client: TestClient, method: str) -> None:
    assert client.request(method, "/memberships").status_code == 405


class AwayRepository:
    """A database that went away after the start."""

    def close(self) -> None:
        """Have nothing to close."""

    def cursor_key(self) -> bytes:
        return bytes(32)

    def page(self, request: PageRequest) -> Page:
        raise MembershipsUnavailable(f"The database on db.internal has no page for {request.limit} rows.")

    def add(self, memberships: Iterable[Membership]) -> int:
        raise AssertionError(f"reading adds no {memberships}")

    def staged(
        self, drafts: Iterable[Draft], silent: Collection[str], *, update: bool
    ) -> AbstractContextManager[Staging]:
        raise AssertionError(f"reading merges no {drafts}, {silent}, {update}")


def test_a_database_that_is_away_is_told_as_503_and_named_in_the_log_only(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI()
    app.include_router(memberships_router(AwayRepository(), lambda _: "user-1"))
    with TestClient(app) as client:
        answer = get(client)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "try again" in answer.json()["detail"]
    assert "db.internal" not in answer.text
    assert "event=unavailable reason=The database on db.internal" in caplog.text


def test_the_application_can_give_its_own_route_class(repository: SqliteMembershipRepository) -> None:
    class Marked(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Any]:
            handler = super().get_route_handler()

            async def marked(request: Request) -> object:
                response = await handler(request)
                response.headers["X-Marked"] = "yes"
                return response

            return marked

    app = FastAPI()
    app.include_router(memberships_router(repository, lambda _: "user-1", route_class=Marked))
    with TestClient(app) as client:
        assert client.get("/memberships").headers["X-Marked"] == "yes"


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def test_openapi_names_the_operation_its_parameters_and_its_security(document: dict[str, Any]) -> None:
    operation = document["paths"]["/memberships"]["get"]
    assert operation["operationId"] == "listMemberships"
    assert {parameter["name"] for parameter in operation["parameters"]} == {"limit", "cursor", "state"}
    [scheme] = [document["components"]["securitySchemes"][name] for used in operation["security"] for name in used]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


def test_openapi_describes_every_answer(document: dict[str, Any]) -> None:
    responses = document["paths"]["/memberships"]["get"]["responses"]
    assert {status: list(response["content"]) for status, response in responses.items()} == {
        "200": list(MEDIA_TYPES),
        "401": ["application/problem+json"],
        "422": ["application/problem+json"],
        "503": ["application/problem+json"],
    }


def test_the_openapi_schema_and_example_fit_what_is_sent(
    client: TestClient, repository: SqliteMembershipRepository, document: dict[str, Any]
) -> None:
    described = document["paths"]["/memberships"]["get"]["responses"]["200"]["content"]
    repository.add(sample_memberships(1, "user-1"))
    for media_type in ("application/json", "application/vnd.memberships.arrays+json"):
        content, page = described[media_type], client.get("/memberships", headers={"Accept": media_type}).json()
        assert list(content["schema"]["properties"]) == list(page) == list(content["example"])
        assert len(content["example"]["items"][0]) == len(page["items"][0])
        assert content["example"].get("columns") == page.get("columns")
    content = described["application/json"]
    assert list(content["schema"]["properties"]["items"]["items"]["properties"]) == list(get(client).json()["items"][0])
    assert list(content["example"]["items"][0]) == list(get(client).json()["items"][0])
