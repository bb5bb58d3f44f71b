import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import NoReturn

import pytest
from fastapi import FastAPI, HTTPException

from memberships_export.domain.errors import (
    ExportError,
    FileGone,
    IdempotencyKeyReused,
    IllegalTransition,
    InvalidAddress,
    LeaseLost,
    MembershipsUnavailable,
    NotNow,
    RateLimited,
    StorageUnavailable,
    UnknownExport,
)
from memberships_export.entrypoints.api.problems import answer_to
from memberships_export.service.mail_events.webhook import ForgedEvents, MalformedEvents
from memberships_export.service.user.callers import InvalidToken, KeysUnavailable
from tests.factories import REQUESTED_AT
from tests.fakes.memory import MemoryStore
from tests.fakes.world import World
from tests.unit.api.service import (
    UNKNOWN_ID,
    HmacWebhook,
    Service,
    assert_problem,
    exports_api,
    foreign_app,
    own_app,
    signed,
)

CANARY = "canary-secret member@example.org /var/lib/exports.db"


@pytest.mark.parametrize(
    "error, status, retry_after",
    [
        (UnknownExport(), 404, None),
        (IllegalTransition("x"), 409, None),
        (FileGone("x"), 410, None),
        (InvalidAddress(), 422, None),
        (IdempotencyKeyReused("x"), 422, None),
        (MalformedEvents(), 422, None),
        (RateLimited("x", retry_after=0.2), 429, "1"),
        (RateLimited("x", retry_after=59.01), 429, "60"),
        (StorageUnavailable("x"), 503, "5"),
        (MembershipsUnavailable("x", retry_after=17), 503, "17"),
        (KeysUnavailable("x"), 503, "5"),
        (InvalidToken("x"), 401, None),
        (ForgedEvents(), 403, None),
        (HTTPException(400, "There was an error parsing the body"), 400, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_each_foreseen_error_has_its_answer(error: Exception, status: int, retry_after: str | None) -> None:
    answer = answer_to(error)
    assert answer is not None
    assert answer.problem.status == status
    assert answer.problem.title == HTTPStatus(status).phrase
    assert answer.headers.get("Retry-After") == retry_after


@pytest.mark.parametrize("error", [KeyError("x"), ExportError(), LeaseLost(), NotNow(REQUESTED_AT)])
def test_an_error_that_no_route_should_see_has_no_answer(error: Exception) -> None:
    assert answer_to(error) is None


class BrokenStore(MemoryStore):
    """ExportStore whose reads and writes raise `error`."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def _broken(self, *_: object, **__: object) -> NoReturn:
        raise self.error

    create = get = list_for_user = due = _broken


ROUTES = [
    ("GET", "/memberships/export"),
    ("POST", "/memberships/exports"),
    ("GET", "/memberships/exports"),
    ("GET", f"/memberships/exports/{UNKNOWN_ID}"),
    ("GET", f"/memberships/exports/{UNKNOWN_ID}/file"),
    ("GET", f"/memberships/exports/{UNKNOWN_ID}/download/secret-of-the-link"),
    ("POST", f"/memberships/exports/{UNKNOWN_ID}/cancel"),
    ("POST", f"/memberships/exports/{UNKNOWN_ID}/resend"),
    ("GET", "/readyz"),
]
App = Callable[..., FastAPI]
in_both_apps = pytest.mark.parametrize("app", [own_app, foreign_app], ids=["own app", "foreign app"])


def broken(error: Exception, app: App) -> Service:
    world = World()
    world.store = BrokenStore(error)
    world.services = world.over(replace(world.ports, store=world.store))
    api = exports_api(world, webhook=HmacWebhook())
    return Service(world, app(api, lambda: [None for _ in world.store.due(world.clock(), 1)]))


@in_both_apps
@pytest.mark.parametrize("method, path", ROUTES)
def test_an_unforeseen_error_tells_an_instance_and_nothing_else(
    app: App, method: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    response = broken(RuntimeError(CANARY), app).call(method, path)
    problem = assert_problem(response, 500, "internal_server_error")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", problem["instance"])
    for word in ("canary", "Traceback", "RuntimeError", "member@", ".py"):
        assert word not in response.text
    assert f"instance={problem['instance']}" in caplog.text
    assert "Traceback" in caplog.text
    assert "secret-of-the-link" not in caplog.text


@in_both_apps
@pytest.mark.parametrize("method, path", ROUTES)
def test_a_store_that_does_not_answer_is_503_and_tells_nothing_of_it(
    app: App, method: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    response = broken(StorageUnavailable("disk full at /var/lib"), app).call(method, path)
    assert_problem(response, 503, "storage_unavailable")
    assert response.headers["Retry-After"] == "5"
    assert "/var/lib" not in response.text
    [record] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "disk full at /var/lib" in record.getMessage()


@in_both_apps
@pytest.mark.parametrize("no_id", ["x", "%00", "k" * 5000, UNKNOWN_ID + "%0A", UNKNOWN_ID.replace("0", "A")])
def test_what_is_no_id_reaches_no_store_and_is_not_repeated(app: App, no_id: str) -> None:
    service = broken(RuntimeError("asked for what is no id"), app)
    for route in ("", "/file", "/download/x"):
        problem = assert_problem(service.get(f"/memberships/exports/{no_id}{route}"), 404, "unknown_export")
        assert "exportId" not in problem


@in_both_apps
def test_mail_events_that_cannot_be_recorded_are_503_so_that_they_come_again(app: App) -> None:
    body = b'[{"exportId": "x"}]'
    response = broken(StorageUnavailable(), app).client.post("/webhooks/sendgrid", content=body, headers=signed(body))
    assert_problem(response, 503, "storage_unavailable")


def answers(service: Service) -> Iterator[tuple[str, int]]:
    export_id = service.get("/memberships/export").json()["exportId"]
    service.world.work()
    export = f"/memberships/exports/{export_id}"
    yield from [
        ("GET /memberships/export", 202),
        ("GET /memberships/export", 200),
        ("HEAD /memberships/export", 405),
        ("GET /memberships/exports", 200),
        ("GET /memberships/exports?limit=0", 422),
        (f"GET {export}", 200),
        (f"GET {export}/file", 200),
        (f"GET {export}/download/x", 404),
        (f"POST {export}/cancel", 409),
        (f"POST {export}/resend", 409),  # another one is under way by now
        ("POST /webhooks/sendgrid", 403),
        ("GET /healthz", 200),
        ("GET /readyz", 200),
        ("DELETE /healthz", 405),
    ]


def test_every_answer_carries_the_security_headers(service: Service) -> None:
    for request, status in answers(service):
        method, _, path = request.partition(" ")
        response = service.call(method, path)
        assert response.status_code == status, request
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert "Set-Cookie" not in response.headers
        assert "Access-Control-Allow-Origin" not in response.headers
