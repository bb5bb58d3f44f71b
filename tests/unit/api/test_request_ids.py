import logging
import re

import pytest
from fastapi import APIRouter, FastAPI
from starlette.testclient import TestClient

from memberships_export.domain.audit import AuditQuery
from memberships_export.domain.ids import is_request_id, trace_id
from memberships_export.entrypoints.api.app import create_app
from memberships_export.entrypoints.api.request_ids import HEADER, request_id_of
from memberships_export.entrypoints.api.router import exports_router
from memberships_export.logs.formats import formatter
from tests.fakes.world import World
from tests.log_lines import read_line
from tests.unit.api.service import Service, exports_api

MADE = re.compile(r"[0-9a-f]{16}")
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


@pytest.mark.parametrize("path", ["/memberships/export", "/memberships/exports/x"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "BREW"])
def test_every_answer_names_the_request_as_the_client_did(service: Service, method: str, path: str) -> None:
    assert service.client.request(method, path, headers={HEADER: "order-7/a+b=c"}).headers[HEADER] == "order-7/a+b=c"


@pytest.mark.parametrize("path", ["/nothing", "/docs", "/openapi.json"])
def test_so_does_every_answer_of_our_own_app(path: str) -> None:
    client = TestClient(create_app([exports_router(exports_api(World()))]))
    assert client.get(path, headers={HEADER: "mine"}).headers[HEADER] == "mine"


def test_an_error_outside_of_the_routes_names_it_too() -> None:
    def broken() -> None:
        raise RuntimeError

    router = APIRouter()
    router.add_api_route("/broken", broken)
    client = TestClient(create_app([router]), raise_server_exceptions=False)
    answer = client.get("/broken", headers={HEADER: "mine"})
    assert (answer.status_code, answer.headers[HEADER]) == (500, "mine")


def test_an_id_is_made_for_who_brings_none(service: Service) -> None:
    first, second = (service.get("/memberships/exports").headers[HEADER] for _ in range(2))
    assert MADE.fullmatch(first)
    assert first != second


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"x" * 129,
        b"x" * 10_240,
        b"two words",
        b"anna@example.org",
        b"a\r\nSet-Cookie: b",
        b"a\nb",
        b"a\x00",
        "ä".encode(),
    ],
    ids=["empty", "long", "10 kB", "space", "address", "CR LF", "LF", "NUL", "not ASCII"],
)
def test_what_can_be_no_id_is_not_repeated(said: bytes) -> None:
    assert MADE.fullmatch(request_id_of([(b"x-request-id", said)]))


def test_two_ids_say_nothing() -> None:
    assert MADE.fullmatch(request_id_of([(b"X-Request-Id", b"a"), (b"x-request-id", b"b")]))


def test_the_id_may_be_as_long_as_128_characters() -> None:
    assert is_request_id("x" * 128)


def test_without_an_id_the_trace_names_the_request() -> None:
    traced = (b"traceparent", f"00-{TRACE}-{PARENT}-01".encode())
    assert request_id_of([traced]) == TRACE
    assert request_id_of([traced, (b"x-request-id", b"mine")]) == "mine"
    assert request_id_of([traced, (b"x-request-id", b"not an id")]) == TRACE


@pytest.mark.parametrize(
    "traceparent, trace",
    [
        (f"00-{TRACE}-{PARENT}-00", TRACE),
        (f"cc-{TRACE}-{PARENT}-01-what-will-be-in-the-future", TRACE),
        (f"00-{TRACE}-{PARENT}-01-more", None),
        (f"ff-{TRACE}-{PARENT}-01", None),
        (f"00-{'0' * 32}-{PARENT}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{PARENT}-01", None),
        (f"00-{TRACE}-{PARENT}-01\n", None),
        (f"00-{TRACE}", None),
        ("", None),
    ],
)
def test_only_a_valid_traceparent_names_a_trace(traceparent: str, trace: str | None) -> None:
    assert trace_id(traceparent) == trace


def test_an_export_keeps_the_id_of_the_request_that_it_was_made_by(service: Service) -> None:
    made = service.get("/memberships/export", headers={HEADER: "first"}).json()
    joined = service.get("/memberships/export", headers={HEADER: "second"})
    assert (made["requestId"], joined.json()["requestId"], joined.headers[HEADER]) == ("first", "first", "second")
    [record] = service.world.store.records.values()
    assert record.request_id == "first"


def test_an_app_of_somebody_else_answers_with_it_too() -> None:
    app = FastAPI()
    app.include_router(exports_router(exports_api(World())))
    client = TestClient(app)
    assert client.get("/memberships/exports", headers={HEADER: "mine"}).headers[HEADER] == "mine"
    assert client.patch("/memberships/exports", headers={HEADER: "mine"}).headers[HEADER] == "mine"


def test_the_lines_of_a_request_name_it(service: Service) -> None:
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    kept, ours = Kept(), logging.getLogger("memberships_export")
    kept.setFormatter(formatter("json"))
    ours.addHandler(kept)
    level = ours.level
    ours.setLevel(logging.INFO)
    try:
        service.get("/memberships/export", headers={HEADER: "mine"})
    finally:
        ours.removeHandler(kept)
        ours.setLevel(level)
    [line] = [read_line(line) for line in lines]
    assert (line["event"], line["request"]) == ("requested", "mine")


def test_the_audit_log_names_the_request(service: Service) -> None:
    export_id = service.get("/memberships/export").json()["exportId"]
    service.post(f"/memberships/exports/{export_id}/cancel", headers={HEADER: "mine"})
    page = service.world.ports.audit.read(AuditQuery(export_id=export_id))
    assert {entry.request_id for entry in page.entries} == {"mine"}
