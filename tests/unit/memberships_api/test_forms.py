"""The forms of a page, by the header Accept: whatever it says, there is an answer."""

import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from memberships_api.forms import MEDIA_TYPES, accepted_form
from memberships_api.repository import Form
from memberships_api.router import memberships_router
from memberships_api.sample import sample_memberships
from memberships_api.sqlite_repository import SqliteMembershipRepository
from memberships_export.domain.source.asking import ACCEPTED

NO_WEIGHTS = ("", "x", "-1", "2", "1.1", "nan", "inf", "1e0", "0.5.5", "½", "٣", "9" * 400)
ARRAYS, LINES = "application/vnd.memberships.arrays+json", "application/x-ndjson"


@pytest.fixture
def client(repository: SqliteMembershipRepository) -> Iterator[TestClient]:
    repository.add(sample_memberships(10, "user-1"))
    app = FastAPI()
    app.include_router(memberships_router(repository, lambda _: "user-1"))
    with TestClient(app) as client:
        yield client


def get(client: TestClient, accept: str | None = None, query: str = "limit=4") -> httpx2.Response:
    client.headers.pop("Accept", None)
    return client.get(f"/memberships?{query}", headers={} if accept is None else {"Accept": accept})


def rows_of(answer: httpx2.Response) -> list[dict[str, Any]]:
    match answer.headers["Content-Type"]:
        case "application/x-ndjson":
            return [json.loads(line) for line in answer.content.splitlines()]
        case "application/json":
            return list(answer.json()["items"])
    page = answer.json()
    return [dict(zip(page["columns"], row, strict=True)) for row in page["items"]]


@pytest.mark.parametrize(
    "headers,form",
    [
        ([], Form.OBJECTS),
        (["*/*"], Form.OBJECTS),
        (["application/*"], Form.OBJECTS),
        (["text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"], Form.OBJECTS),
        (["application/json"], Form.OBJECTS),
        ([LINES], Form.LINES),
        ([ARRAYS], Form.ARRAYS),
        ([ACCEPTED["arrays"]], Form.ARRAYS),
        ([ACCEPTED["ndjson"]], Form.LINES),
        ([f" {LINES.upper()} ; Q=0.5"], Form.LINES),
        ([f"{LINES}, */*"], Form.LINES),
        ([f"{LINES};q=0.5, application/json"], Form.OBJECTS),
        ([f"application/json, {LINES}"], Form.OBJECTS),
        ([f"{LINES}, application/json"], Form.LINES),
        (["application/json;q=0.1", LINES], Form.LINES),
        ([f"{LINES};charset=utf-8;q=0.2, application/json;q=0.1"], Form.LINES),
        ([f"{LINES};q=0"], Form.OBJECTS),
        ([f"{LINES};q=0.000, {ARRAYS};q=0.001"], Form.ARRAYS),
        *(([f"{LINES};q={weight}"], Form.OBJECTS) for weight in NO_WEIGHTS),
        ([f"{LINES}x, x{ARRAYS}, ,,;;"], Form.OBJECTS),
    ],
)
def test_the_form_is_the_one_that_is_named_and_liked_best(headers: Sequence[str], form: Form) -> None:
    assert accepted_form(headers) is form


@given(st.lists(st.text() | st.sampled_from([*MEDIA_TYPES, ";q=", ",", "0.5"]), max_size=8).map("".join))
def test_whatever_is_accepted_some_form_is_chosen(header: str) -> None:
    assert accepted_form([header]) in Form


@pytest.mark.parametrize("accept", [ARRAYS, LINES])
@pytest.mark.parametrize("query", ["limit=4", "limit=4&state=active", "limit=10", "limit=1", "limit=5&state=none"])
def test_the_rows_are_the_same_in_every_form(client: TestClient, accept: str, query: str) -> None:
    plain, other = get(client, query=query), get(client, accept, query)
    assert other.headers["Content-Type"] == accept
    assert rows_of(other) == rows_of(plain)
    assert other.headers["Vary"] == plain.headers["Vary"] == "Accept"
    assert other.headers["Cache-Control"] == plain.headers["Cache-Control"] == "no-store"


def test_arrays_are_a_page_with_the_names_of_its_columns(client: TestClient) -> None:
    page = get(client, ARRAYS).json()
    assert list(page) == ["columns", "items", "nextCursor", "total"]
    assert page["columns"] == list(get(client).json()["items"][0])
    assert page["total"] == 10
    assert len(get(client, ARRAYS, f"cursor={page['nextCursor']}").json()["items"]) == 6


@pytest.mark.parametrize("state", ["", "&state=active"])
def test_lines_tell_the_next_page_and_the_total_in_headers(client: TestClient, state: str) -> None:
    found, query = [], f"limit=3{state}"
    while True:
        answer = get(client, LINES, query)
        assert answer.headers["X-Total-Count"] == str(get(client, query=query).json()["total"])
        assert answer.content.endswith(b"}\n")
        found += rows_of(answer)
        if "Link" not in answer.headers:
            break
        assert answer.headers["Link"].startswith("<?limit=3&")
        assert answer.headers["Link"].endswith('>; rel="next"')
        query = answer.headers["Link"][2:-13]
        assert parse_qs(query).keys() == {"limit", "cursor", *(["state"] if state else [])}
    assert found == rows_of(get(client, query=f"limit=10{state}"))


def test_no_rows_are_no_lines(client: TestClient) -> None:
    answer = get(client, LINES, "state=none")
    assert (answer.content, answer.headers["X-Total-Count"], answer.headers["Content-Length"]) == (b"", "0", "0")


@pytest.mark.parametrize("state", ["a b&c=d", "ü", "%", "#>", '"', "\N{COMBINING ACUTE ACCENT}"])
def test_a_link_holds_any_state(client: TestClient, repository: SqliteMembershipRepository, state: str) -> None:
    repository.add(replace(row, state=state) for row in sample_memberships(2, "user-1", first_id=11))
    client.headers["Accept"] = LINES
    first = client.get("/memberships", params={"state": state, "limit": 1})
    second = get(client, LINES, first.headers["Link"][2:-13])
    assert [row["state"] for row in rows_of(first) + rows_of(second)] == [state, state]


def test_refusals_are_the_same_in_every_form(client: TestClient) -> None:
    for query in ("limit=0", "cursor=x", "state="):
        assert get(client, LINES, query).json() == get(client, ARRAYS, query).json() == get(client, query=query).json()
        assert get(client, LINES, query).status_code == 422
