from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.formats.options import Preset
from memberships_export.domain.messages.message import Message
from tests.unit.api.service import Service, assert_problem, bearer, token_for

KEY = "Idempotency-Key"


def test_a_get_is_accepted_and_says_where_to_look(service: Service) -> None:
    response = service.get("/memberships/export")
    body = response.json()
    assert response.status_code == 202
    assert body["status"] == "queued"
    assert body["statusText"] == "Export in progress"
    assert body["email"] == "user-1@example.org"
    assert body["statusUrl"] == response.headers["Location"] == f"/memberships/exports/{body['exportId']}"
    assert int(response.headers["Retry-After"]) >= 1
    assert response.headers["Cache-Control"] == "no-store"
    [record] = service.world.store.records.values()
    assert (record.export_id, record.user_id) == (body["exportId"], "user-1")
    [message] = service.world.queue.messages
    assert message.attributes == {"userId": "user-1", "email": "user-1@example.org", "exportId": body["exportId"]}


def test_the_location_can_be_followed(service: Service) -> None:
    location = service.get("/memberships/export").headers["Location"]
    assert service.get(location).json()["status"] == "queued"


def test_asking_again_returns_the_export_under_way_with_200(service: Service) -> None:
    first, second = service.get("/memberships/export"), service.get("/memberships/export")
    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json()["exportId"] == second.json()["exportId"]
    assert second.headers["Location"] == first.headers["Location"]


def test_a_hundred_parallel_gets_start_one_export(service: Service) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: service.get("/memberships/export"), range(100)))
    assert {answer.status_code for answer in answers} == {200, 202}
    assert len({answer.json()["exportId"] for answer in answers}) == 1
    assert len(service.world.store.records) == len(service.world.queue.messages) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "Prefetch"},
        {"X-Moz": "prefetch"},
        {"Purpose": "preview"},
        {"X-Purpose": "preview"},
        {"X-Purpose": "instant"},
        {"Sec-Purpose": "prefetch;anonymous-client-ip"},
        {"Sec-Purpose": "prerender"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_get_that_nobody_means_starts_nothing(service: Service, headers: Mapping[str, str]) -> None:
    response = service.get("/memberships/export", headers=headers)
    assert_problem(response, 403, "cross_site" if "Sec-Fetch-Site" in headers else "prefetch")
    assert service.nothing_happened()


@pytest.mark.parametrize("name, value", [("Purpose", "preview"), ("Sec-Fetch-Site", "cross-site")])
def test_a_second_header_of_the_same_name_is_read_too(service: Service, name: str, value: str) -> None:
    headers = [(name, "x"), (name, value), ("Authorization", f"Bearer {token_for()}")]
    assert service.client.get("/memberships/export", headers=headers).status_code == 403
    assert service.nothing_happened()


@pytest.mark.parametrize("site", ["same-origin", "same-site", "none"])
def test_a_get_from_the_own_site_is_accepted(service: Service, site: str) -> None:
    assert service.get("/memberships/export", headers={"Sec-Fetch-Site": site}).status_code == 202


@pytest.mark.parametrize("path", ["/memberships/export", "/memberships/exports"])
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_other_methods_start_nothing(service: Service, method: str, path: str) -> None:
    response = service.call(method, path)
    assert response.status_code == 405
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Allow"] == ("GET" if path.endswith("export") else "GET, POST")
    assert service.nothing_happened()


def test_a_post_takes_options(service: Service) -> None:
    response = service.post("/memberships/exports", json={"preset": "raw"})
    assert response.status_code == 202
    assert response.json()["preset"] == "raw"
    [record] = service.world.store.records.values()
    assert record.options.preset is Preset.RAW


@pytest.mark.parametrize("content", [b"", b"{}", b"null"])
def test_a_post_without_options_starts_the_same_as_a_get(service: Service, content: bytes) -> None:
    started = service.post("/memberships/exports", content=content, headers={"Content-Type": "application/json"})
    assert started.status_code == 202
    assert started.json()["preset"] == "spreadsheet"
    assert service.get("/memberships/export").json()["exportId"] == started.json()["exportId"]


@pytest.mark.parametrize(
    "content, parameter",
    [
        (b"{", "body"),
        (b"[]", "body"),
        (b"\xff\xfe", "body"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(service: Service, content: bytes, parameter: str) -> None:
    response = service.post("/memberships/exports", content=content, headers={"Content-Type": "application/json"})
    problem = assert_problem(response, 422, "invalid_request")
    assert [wrong["parameter"] for wrong in problem["errors"]] == [parameter]
    assert service.nothing_happened()


def test_a_body_that_is_not_even_text_is_refused(service: Service) -> None:
    response = service.post(
        "/memberships/exports", content=b'{"preset": "\xff"}', headers={"Content-Type": "application/json"}
    )
    assert_problem(response, 400, "bad_request")
    assert service.nothing_happened()


def test_a_repeated_post_with_the_same_key_finds_its_export_even_when_it_is_finished(service: Service) -> None:
    first = service.post("/memberships/exports", headers={KEY: "monday-1"})
    service.world.work()
    second = service.post("/memberships/exports", headers={KEY: "monday-1"})
    assert (first.status_code, second.status_code) == (202, 200)
    assert second.json()["exportId"] == first.json()["exportId"]
    assert second.json()["status"] == "completed"
    assert "Retry-After" not in second.headers


def test_a_key_used_again_with_other_options_is_refused(service: Service) -> None:
    service.post("/memberships/exports", headers={KEY: "monday-1"})
    response = service.post("/memberships/exports", headers={KEY: "monday-1"}, json={"preset": "raw"})
    assert_problem(response, 422, "idempotency_key_reused")
    assert len(service.world.store.records) == 1


def test_the_same_key_of_two_users_names_two_exports(service: Service) -> None:
    first = service.post("/memberships/exports", headers={KEY: "monday-1"})
    second = service.post("/memberships/exports", headers={KEY: "monday-1"}, user="user-2")
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["exportId"] != second.json()["exportId"]


@pytest.mark.parametrize("key", ["", "two words", "k" * 256, "tab\there"])
def test_a_key_that_is_not_visible_ascii_is_refused(service: Service, key: str) -> None:
    problem = assert_problem(service.post("/memberships/exports", headers={KEY: key}), 422, "invalid_request")
    assert [wrong["parameter"].lower() for wrong in problem["errors"]] == ["idempotency-key"]
    assert service.nothing_happened()


def test_too_many_exports_are_refused_with_the_seconds_to_wait(service: Service) -> None:
    for _ in range(service.world.policy.max_exports_per_hour):
        assert service.get("/memberships/export").status_code == 202
        service.world.work()
    response = service.get("/memberships/export")
    assert_problem(response, 429, "rate_limited")
    assert response.headers["Retry-After"] == "3600"
    assert service.get("/memberships/export", user="user-2").status_code == 202


def ask_with(service: Service, **claims: object) -> httpx2.Response:
    return service.client.get("/memberships/export", headers=bearer(token_for("user-1", **claims)))


@pytest.mark.parametrize("email", [None, ""])
def test_a_token_without_email_starts_nothing(service: Service, email: str | None) -> None:
    problem = assert_problem(ask_with(service, email=email), 403, "email_missing")
    assert "claim email" in problem["detail"]
    assert service.nothing_happened()


@pytest.mark.parametrize("verified", [False, "false", 0])
def test_an_unverified_email_starts_nothing(service: Service, verified: object) -> None:
    assert_problem(ask_with(service, email_verified=verified), 403, "email_not_verified")
    assert service.nothing_happened()


def test_a_token_that_says_nothing_of_verification_is_accepted(service: Service) -> None:
    assert ask_with(service, email_verified=None).status_code == 202


@pytest.mark.parametrize(
    "email",
    [
        "user-1@example.org\r\nBcc: other@example.org",
        "user-1@example.org\n",
        "user-1@example.org,other@example.org",
        "user-1@example.org; other@example.org",
        "User <user-1@example.org>",
        "user-1",
    ],
)
def test_an_address_that_is_not_one_plain_address_starts_nothing(service: Service, email: str) -> None:
    problem = assert_problem(ask_with(service, email=email), 422, "invalid_address")
    assert email not in str(problem)
    assert service.nothing_happened()


@pytest.mark.parametrize("query", ["email=other@example.org", "user_id=user-2", "userId=user-2"])
def test_nobody_is_exported_or_mailed_by_query(service: Service, query: str) -> None:
    assert service.get(f"/memberships/export?{query}").status_code == 422
    assert service.nothing_happened()
    service.get("/memberships/export")
    [record] = service.world.store.records.values()
    assert (record.user_id, record.email) == ("user-1", "user-1@example.org")


def test_a_queue_that_is_down_does_not_lose_the_export(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Message) -> None:
        raise StorageUnavailable

    monkeypatch.setattr(service.world.queue, "send", broken)
    assert service.get("/memberships/export").status_code == 202
    assert len(service.world.store.records) == 1
