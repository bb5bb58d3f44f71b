"""Mounted in somebody else's app, which knows its users by means of its own."""

import threading
from collections.abc import Awaitable
from functools import partial

import pytest
from fastapi import HTTPException
from starlette.requests import Request

from memberships_export.entrypoints.api.exports_api import Identify
from memberships_export.service.user.callers import Caller, IdentityUnavailable, InvalidToken
from tests.fakes.world import World
from tests.unit.api.service import UNKNOWN_ID, Service, assert_problem, exports_api, foreign_app, token_for

ANNA = Caller("anna", "anna@example.org", email_verified=True)


def by_session(request: Request) -> Caller:
    """The user of a cookie, as an app with sessions would find them."""
    if request.cookies.get("session") != "anna's":
        raise InvalidToken("Log in first.")
    return ANNA


async def waiting_by_session(request: Request) -> Caller:
    return by_session(request)


class BySession:
    """Sync to look at, and what it gives has to be waited for."""

    def __call__(self, request: Request) -> Awaitable[Caller]:
        return waiting_by_session(request)


class WaitingBySession:
    async def __call__(self, request: Request) -> Caller:
        return by_session(request)


KINDS: dict[str, Identify] = {
    "function": by_session,
    "async function": waiting_by_session,
    "object": BySession(),
    "async object": WaitingBySession(),
    "lambda": lambda request: waiting_by_session(request),  # noqa: PLW0108  (not async itself)
    "partial": partial(waiting_by_session),
}


def mounted(identify: Identify) -> Service:
    world = World()
    return Service(world, foreign_app(exports_api(world, identify)))


@pytest.mark.parametrize("identify", KINDS.values(), ids=KINDS.keys())
def test_any_callable_can_tell_who_sends_a_request(identify: Identify) -> None:
    service = mounted(identify)
    refused = service.client.get("/memberships/export")
    assert assert_problem(refused, 401, "invalid_token")["detail"] == "Log in first."
    assert service.nothing_happened()

    assert service.client.get("/memberships/export", headers={"Cookie": "session=anna's"}).status_code == 202
    (export,) = service.world.store.records.values()
    assert (export.user_id, export.email) == ("anna", "anna@example.org")


def test_a_bearer_token_says_nothing_where_the_app_tells_who_calls() -> None:
    service = mounted(by_session)
    assert_problem(service.get("/memberships/export"), 401, "invalid_token")
    response = service.get("/memberships/exports", headers={"Cookie": "session=anna's"})
    assert (response.status_code, response.json()) == (200, {"items": []})


def test_a_function_that_waits_does_not_keep_the_others_waiting() -> None:
    threads = []

    def identify(_: Request) -> Caller:
        threads.append(threading.current_thread())
        return ANNA

    async def loop(_: Request) -> Caller:
        threads.append(threading.current_thread())
        return ANNA

    with mounted(identify).client as client:
        client.get("/memberships/exports")
    with mounted(loop).client as client:
        client.get("/memberships/exports")
    assert "worker thread" in threads[0].name.lower()
    assert "worker thread" not in threads[1].name.lower()


@pytest.mark.parametrize(
    "error, status, code",
    [
        (InvalidToken("No."), 401, "invalid_token"),
        (IdentityUnavailable("Down."), 503, "temporary_problem"),
        (HTTPException(403, "Not you."), 403, "forbidden"),
        (RuntimeError("canary"), 500, "internal_server_error"),
    ],
)
def test_what_it_raises_is_answered_as_a_problem(error: Exception, status: int, code: str) -> None:
    def identify(_: Request) -> Caller:
        raise error

    service = mounted(identify)
    assert "canary" not in str(assert_problem(service.client.get("/memberships/export"), status, code))
    assert service.nothing_happened()


@pytest.mark.parametrize("user_id", ["", "x" * 256, "a\nb", "a\u202eb", "\ud800"])
@pytest.mark.parametrize("path", ["/memberships/export", "/memberships/exports"])
def test_a_user_id_that_workers_would_refuse_is_refused_at_once(path: str, user_id: str) -> None:
    service = mounted(lambda _: Caller(user_id, "anna@example.org"))
    problem = assert_problem(service.client.get(path), 422, "invalid_user_id")
    assert problem["detail"] == "The user id is not one of 1 to 255 printable characters."
    assert service.nothing_happened()


def test_a_token_verifier_of_your_own_is_held_to_the_same() -> None:
    class Own:
        def verify(self, token: str) -> Caller:
            return Caller(token * 300, "anna@example.org")

    world = World()
    service = Service(world, foreign_app(exports_api(world, Own())))
    assert_problem(service.get("/memberships/export"), 422, "invalid_user_id")
    assert service.nothing_happened()


@pytest.mark.parametrize(
    "caller, status, code",
    [
        (Caller("anna", "anna@example.org\r\nBcc: ben@example.org"), 422, "invalid_address"),
        (Caller("anna", "ännä@example.org"), 422, "invalid_address"),
        (Caller("anna", "anna@example.org", email_verified=False), 403, "email_not_verified"),
        (Caller("anna", ""), 403, "email_missing"),
        (Caller("anna"), 403, "email_missing"),
    ],
)
def test_an_address_that_cannot_be_mailed_to_starts_nothing(caller: Caller, status: int, code: str) -> None:
    service = mounted(lambda _: caller)
    assert_problem(service.client.get("/memberships/export"), status, code)
    assert service.nothing_happened()


@pytest.mark.parametrize(
    "found",
    [
        None,
        "anna",
        {"user_id": "anna"},
        Caller(7),  # type: ignore[arg-type]
        Caller("anna", 7),  # type: ignore[arg-type]
        Caller("anna", "a@example.org", "false"),  # type: ignore[arg-type]
        Caller("anna", "a@example.org", locale=["de"]),  # type: ignore[arg-type]
        Caller("anna", "a@example.org", time_zone=1),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_caller_is_a_bug_that_the_log_tells(found: object, caplog: pytest.LogCaptureFixture) -> None:
    service = mounted(lambda _: found)  # type: ignore[arg-type,return-value]
    assert_problem(service.client.get("/memberships/export"), 500, "internal_server_error")
    assert "`tokens` of ExportsApi gave" in caplog.text
    assert service.nothing_happened()


def test_an_object_that_checks_tokens_is_not_called() -> None:
    class Both:
        def verify(self, token: str) -> Caller:
            assert token
            return ANNA

        def __call__(self, request: Request) -> Caller:
            raise AssertionError(request)

    world = World()
    service = Service(world, foreign_app(exports_api(world, Both())))
    assert service.client.get("/memberships/exports", headers={"Authorization": f"Bearer {token_for()}"}).is_success


@pytest.mark.parametrize("path", ["", f"/{UNKNOWN_ID}/cancel", f"/{UNKNOWN_ID}/resend"])
def test_what_another_site_makes_a_browser_send_changes_nothing(path: str) -> None:
    service = mounted(by_session)
    forged = {"Cookie": "session=anna's", "Sec-Fetch-Site": "cross-site"}
    assert_problem(service.client.post(f"/memberships/exports{path}", headers=forged), 403, "cross_site")
    assert service.nothing_happened()
    meant = {"Cookie": "session=anna's", "Sec-Fetch-Site": "same-origin"}
    assert service.client.post(f"/memberships/exports{path}", headers=meant).status_code in {202, 404}


def test_a_token_that_a_page_of_another_site_sends_is_meant() -> None:
    service = mounted(lambda _: ANNA)
    headers = {"Authorization": "Bearer x", "Sec-Fetch-Site": "cross-site"}
    assert service.client.post("/memberships/exports", headers=headers).status_code == 202
