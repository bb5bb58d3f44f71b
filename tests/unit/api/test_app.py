import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import jsonschema
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from memberships_api.router import memberships_router
from memberships_api.sqlite_repository import SqliteMembershipRepository
from memberships_export.domain.errors import MembershipsRefused
from memberships_export.domain.pause import Pause
from memberships_export.entrypoints.api.app import create_app
from memberships_export.entrypoints.api.exports_api import ExportsApi
from memberships_export.entrypoints.api.headers import SECURITY_HEADERS
from memberships_export.entrypoints.api.health import Details, health_router
from memberships_export.entrypoints.api.problem_route import ProblemRoute
from memberships_export.entrypoints.api.router import exports_router
from memberships_export.service.operator.first_look import ApiFound
from memberships_export.service.operator.noticed import Noticed
from memberships_export.service.operator.what_waits import Waiting
from tests.fakes.world import World
from tests.unit.api.service import HmacWebhook, Service, assert_problem, bearer, exports_api, own_app, token_for

METHODS = {"get", "post"}


@pytest.fixture
def service() -> Service:
    world = World()
    return Service(world, own_app(exports_api(world, webhook=HmacWebhook())))


@pytest.fixture
def document(service: Service) -> dict[str, Any]:
    document: dict[str, Any] = service.client.get("/openapi.json").json()
    return document


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


@pytest.mark.parametrize("path", ["/", "/redoc", "/docs/x", "/memberships/exports/", "/memberships/export/x/y"])
def test_a_path_that_no_route_has_is_a_problem_too(service: Service, path: str) -> None:
    assert_problem(service.get(path), 404, "no_such_path")


def test_a_slash_too_many_is_not_redirected_to_the_host_that_the_client_names(service: Service) -> None:
    response = service.get("/memberships/export/", headers={"Host": "evil.example.org"})
    assert_problem(response, 404, "no_such_path")
    assert service.nothing_happened()


@pytest.mark.parametrize("host", ["evil.example.org", "x/evil", "x/evil/memberships/export?"])
def test_links_hold_no_host_because_the_client_names_it(service: Service, host: str) -> None:
    response = service.get("/memberships/export", headers={"Host": host})
    assert response.status_code == 202
    assert "evil" not in response.text + response.headers["Location"]


@pytest.mark.parametrize("mounted", [True, False], ids=["mounted app", "included with a prefix"])
def test_links_follow_the_place_where_the_routes_are_mounted(mounted: bool) -> None:  # noqa: FBT001
    world, host = World(), FastAPI()
    if mounted:
        host.mount("/api/v2", own_app(exports_api(world)))
    else:
        host.include_router(exports_router(exports_api(world)), prefix="/api/v2")
    service = Service(world, host)
    location = service.get("/api/v2/memberships/export").headers["Location"]
    assert location.startswith("/api/v2/memberships/exports/")
    assert service.get(location).json()["statusUrl"] == location


def stripped(app: ASGIApp, root: str) -> ASGIApp:
    """A server behind a proxy that takes `root` away, and says so as ASGI has it: the path begins with it again."""

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "root_path": root, "path": root + scope["path"]}, receive, send)

    return told


def only_told(app: ASGIApp, root: str) -> ASGIApp:
    """As above, by a server that leaves the path as it came."""

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "root_path": root}, receive, send)

    return told


def foreign(api: ExportsApi, prefix: str = "") -> FastAPI:
    host = FastAPI()
    host.include_router(exports_router(api), prefix=prefix)
    return host


def mounted(api: ExportsApi, path: str) -> FastAPI:
    host = FastAPI()
    host.mount(path, create_app([exports_router(api)]))
    return host


PLACES: dict[str, tuple[Callable[[ExportsApi], ASGIApp], str, str]] = {
    # What is served, the path that arrives, what links begin with.
    "public path, proxy strips": (lambda api: create_app([exports_router(api)], "/club"), "", "/club"),
    "public path, proxy leaves it": (lambda api: create_app([exports_router(api)], "/club"), "/club", "/club"),
    "public path of two parts": (lambda api: create_app([exports_router(api)], "/a/b"), "/a/b", "/a/b"),
    "public path, odd signs": (lambda api: create_app([exports_router(api)], "/a b"), "", "/a%20b"),
    "no public path": (lambda api: create_app([exports_router(api)]), "", ""),
    "server with root path": (lambda api: stripped(create_app([exports_router(api)]), "/club"), "", "/club"),
    "server that only tells": (lambda api: only_told(create_app([exports_router(api)]), "/club"), "", "/club"),
    "root path with a slash": (lambda api: only_told(create_app([exports_router(api)]), "/club/"), "", "/club"),
    "both": (lambda api: only_told(create_app([exports_router(api)], "/club"), "/club"), "/club", "/club"),
    "foreign, root path": (lambda api: stripped(foreign(api), "/club"), "", "/club"),
    "foreign, only told": (lambda api: only_told(foreign(api), "/club"), "", "/club"),
    "foreign, prefix": (lambda api: foreign(api, "/api/v2"), "/api/v2", "/api/v2"),
    "foreign, prefix, root path": (lambda api: stripped(foreign(api, "/v2"), "/club"), "/v2", "/club/v2"),
    "foreign, prefix, only told": (lambda api: only_told(foreign(api, "/v2"), "/club"), "/v2", "/club/v2"),
    "mounted, root path": (lambda api: stripped(mounted(api, "/v2"), "/club"), "/v2", "/club/v2"),
    "a place with our name": (
        lambda api: mounted(api, "/memberships/exporter"),
        "/memberships/exporter",
        "/memberships/exporter",
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_all_links_are_paths_that_users_can_follow(place: str) -> None:
    world = World()
    make, arrives, shown = PLACES[place]
    client = TestClient(make(exports_api(world)))
    headers = bearer(token_for())
    answer = client.get(f"{arrives}/memberships/export", headers=headers)
    assert answer.status_code == 202
    export_id = answer.json()["exportId"]
    path = f"{shown}/memberships/exports/{export_id}"
    assert answer.headers["Location"] == answer.json()["statusUrl"] == path
    assert answer.json()["links"]["cancel"] == f"{path}/cancel"
    world.work()
    told = client.get(f"{arrives}/memberships/exports/{export_id}", headers=headers).json()
    assert (told["file"]["url"], told["links"]["resend"]) == (f"{path}/file", f"{path}/resend")
    assert client.get(f"{arrives}/memberships/exports", headers=headers).json()["items"] == [told | {"timeline": None}]


def test_a_path_that_only_begins_like_the_public_one_is_another() -> None:
    client = TestClient(create_app([exports_router(exports_api(World()))], "/club"))
    assert client.get("/clubhouse/memberships/export", headers=bearer(token_for())).status_code == 404


def test_the_document_names_the_public_path() -> None:
    client = TestClient(create_app([exports_router(exports_api(World()))], "/club"))
    for path in ("/openapi.json", "/club/openapi.json"):
        assert client.get(path).json()["servers"] == [{"url": "/club"}]


@pytest.mark.parametrize("path", ["/openapi.json", "/nothing", "/memberships/exports", "/healthz"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "BREW"])
def test_all_answers_carry_the_security_headers(service: Service, method: str, path: str) -> None:
    response = service.client.request(method, path)
    assert {name: response.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_an_error_outside_of_the_routes_carries_them_too() -> None:
    def broken() -> None:
        raise RuntimeError

    router = APIRouter()
    router.add_api_route("/broken", broken)
    response = TestClient(create_app([router]), raise_server_exceptions=False).get("/broken")
    assert response.status_code == 500
    assert {name: response.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_the_document_has_one_kind_of_problem_also_for_other_routers(tmp_path: Path) -> None:
    memberships = memberships_router(
        SqliteMembershipRepository(tmp_path / "memberships.db"), str, route_class=ProblemRoute
    )
    text = json.dumps(create_app([memberships, health_router(lambda: None, Details())]).openapi())
    assert text.count('"RFC 9457') == 0
    assert text.count('"title": "Problem"') == 1


def test_text_is_no_binary_because_generated_clients_take_it_for_bytes(document: dict[str, Any]) -> None:
    for path in ("/file", "/download/{token}"):
        responses = document["paths"]["/memberships/exports/{exportId}" + path]["get"]["responses"]
        assert responses["200"]["content"]["text/csv"]["schema"] == {"type": "string"}


def test_what_can_be_read_by_head_is_documented_without_bodies(document: dict[str, Any]) -> None:
    heads = {path: item["head"] for path, item in document["paths"].items() if "head" in item}
    assert set(heads) == {
        "/healthz",
        "/readyz",
        "/memberships/exports/{exportId}/file",
        "/memberships/exports/{exportId}/download/{token}",
    }
    for path, head in heads.items():
        get = document["paths"][path]["get"]
        assert set(head["responses"]) == set(get["responses"])
        assert [response for response in head["responses"].values() if "content" in response] == []
        assert head["operationId"] != get["operationId"]
        assert head.get("security") == get.get("security")


def test_no_two_operations_have_one_name(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))


def test_the_routes_do_not_get_in_the_way_of_a_memberships_route() -> None:
    app = FastAPI()
    app.include_router(exports_router(exports_api(World())))
    app.add_api_route("/memberships", lambda: "memberships")
    app.add_api_route("/memberships/{membership_id}", lambda membership_id: membership_id)
    client = TestClient(app)
    assert client.get("/memberships").json() == "memberships"
    assert client.get("/memberships/17").json() == "17"


def test_operations_are_named_as_their_functions(document: dict[str, Any]) -> None:
    assert {operation["operationId"] for _, operation in operations(document)} == {
        "startExport",
        "startExportWithOptions",
        "listExports",
        "getExport",
        "getOptions",
        "getFile",
        "getFileByLink",
        "cancelExport",
        "resendExport",
        "recordMailEvents",
        "isAlive",
        "isReady",
    }


def test_every_error_is_documented_as_a_problem_with_an_example(document: dict[str, Any]) -> None:
    problem = {**document["components"]["schemas"]["Problem"], "components": document["components"]}
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            if status < "400":
                continue
            [(media_type, content)] = response["content"].items()
            assert media_type == "application/problem+json", name
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert content["example"]["status"] == int(status)
            jsonschema.validate(content["example"], problem)


def test_every_example_of_an_export_fits_its_schema(document: dict[str, Any]) -> None:
    seen = set()
    for _, operation in operations(document):
        for response in operation["responses"].values():
            content = response.get("content", {}).get("application/json", {})
            for example in content.get("examples", {}).values():
                schema = {**content["schema"], "components": document["components"]}
                jsonschema.validate(example["value"], schema)
                seen.add(example["value"]["status"])
    assert seen == {"queued", "running", "waiting", "completed", "failed", "cancelled"}


def test_only_the_link_the_webhook_and_health_need_no_bearer_token(document: dict[str, Any]) -> None:
    free = {name for name, operation in operations(document) if "security" not in operation}
    assert free == {
        "get /memberships/exports/{exportId}/download/{token}",
        "post /webhooks/sendgrid",
        "get /healthz",
        "get /readyz",
    }
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"


def test_starting_documents_where_to_look_and_when(document: dict[str, Any]) -> None:
    responses = document["paths"]["/memberships/export"]["get"]["responses"]
    assert set(responses) == {"200", "202", "401", "403", "422", "429", "503"}
    for status in ("200", "202"):
        assert {"Location", "Retry-After", "Cache-Control"} <= set(responses[status]["headers"])
    for status in ("429", "503"):
        assert "Retry-After" in responses[status]["headers"]


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("place", ["file", "download/{token}"])
def test_a_download_documents_its_digest(document: dict[str, Any], place: str, method: str) -> None:
    file = document["paths"][f"/memberships/exports/{{exportId}}/{place}"][method]["responses"]["200"]
    assert "Repr-Digest" in file["headers"]


def test_the_document_is_the_same_each_time(service: Service, document: dict[str, Any]) -> None:
    assert json.dumps(service.client.get("/openapi.json").json()) == json.dumps(document)


HERE = ("127.0.0.1", 50_000)


def asked_from(app: FastAPI, client: tuple[str, int] = HERE, **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return TestClient(app, client=client).get("/readyz?verbose=1", headers=named)


def test_readiness_says_what_exports_wait_for_only_when_asked() -> None:
    world = World()
    world.source.before[1] = MembershipsRefused("The memberships API at api.example.org answered with status 401.")
    world.request()
    world.work()
    app = own_app(exports_api(world), details=Details(waiting=world.services.what_waits))

    assert TestClient(app, client=HERE).get("/readyz").json() == {"status": "ok"}
    since = world.clock().isoformat().replace("+00:00", "Z")
    waiting = [{"code": "memberships_refused", "exports": 1, "since": since}]
    assert asked_from(app).json() == {"status": "ok", "waiting": waiting, "noticed": []}


def test_readiness_says_what_of_the_memberships_api_does_not_fit_and_neither_why_nor_where() -> None:
    world = World()
    found = ApiFound(profile="club.toml", sha256="0123456789abcdef", checked=world.clock(), problems=["canary"])
    app = own_app(exports_api(world), details=Details(found=lambda: found))

    assert TestClient(app, client=HERE).get("/readyz").json() == {"status": "ok"}
    checked = world.clock().isoformat().replace("+00:00", "Z")
    told = {"profile": "club.toml", "sha256": "0123456789abcdef", "checked": checked, "problems": ["canary"]}
    assert asked_from(app).json() == {"status": "ok", "waiting": [], "api": told, "noticed": []}


def test_readiness_says_what_the_process_noticed_and_that_the_service_is_paused() -> None:
    world = World()
    now = world.clock()
    noticed = Noticed(what="key_set_unread", by="identity_provider", count=3, since=now, last=now)
    world.state.pause(Pause(since=now, by="ops", reason="The API moves."))
    app = own_app(exports_api(world), details=Details(noticed=lambda: [noticed], paused=world.state.paused))

    told, at = asked_from(app).json(), now.isoformat().replace("+00:00", "Z")
    event = {"what": "key_set_unread", "by": "identity_provider", "count": 3, "since": at, "last": at}
    assert told["noticed"] == [event]
    assert told["paused"] == {"since": at, "by": "ops", "reason": "The API moves.", "drain": False}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_details_are_told_on_this_machine(host: str) -> None:
    assert asked_from(own_app(exports_api(World())), (host, 50_000)).status_code == 200


@pytest.mark.parametrize(
    "host, headers",
    [
        ("203.0.113.7", {}),
        ("10.0.0.7", {}),
        ("::ffff:203.0.113.7", {}),
        ("testclient", {}),
        ("", {}),
        ("203.0.113.7", {"X_Forwarded_For": "127.0.0.1"}),
        ("127.0.0.1", {"X_Forwarded_For": "203.0.113.7"}),
        ("127.0.0.1", {"X_Forwarded_For": "127.0.0.1"}),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.7"}),
        ("::1", {"X_Real_IP": "203.0.113.7"}),
        ("127.0.0.1", {"Via": "1.1 proxy"}),
    ],
)
def test_details_are_told_to_nobody_elsewhere_and_not_through_a_proxy(host: str, headers: dict[str, str]) -> None:
    def never() -> list[Waiting]:
        raise AssertionError

    app = own_app(exports_api(World()), details=Details(waiting=never))
    assert_problem(asked_from(app, (host, 50_000), **headers), 403, "operators_only")
    assert TestClient(app, client=(host, 50_000)).get("/readyz").json() == {"status": "ok"}
