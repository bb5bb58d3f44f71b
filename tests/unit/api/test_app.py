import json
from typing import Any

import jsonschema
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from memberships_export.entrypoints.api.router import exports_router
from tests.fakes.world import World
from tests.unit.api.service import HmacWebhook, Service, assert_problem, exports_api, own_app

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


@pytest.mark.parametrize("path", ["/", "/docs", "/redoc", "/memberships/exports/", "/memberships/export/x/y"])
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


def test_the_document_is_the_same_each_time(service: Service, document: dict[str, Any]) -> None:
    assert json.dumps(service.client.get("/openapi.json").json()) == json.dumps(document)
