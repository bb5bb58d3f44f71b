"""The page is read as a browser reads it: what it shows, what it loads, where its links lead."""

import hashlib
import json
import re
from base64 import b64encode
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from memberships_api.router import memberships_router
from memberships_api.sqlite_repository import SqliteMembershipRepository
from memberships_export.entrypoints.api.app import create_app
from memberships_export.entrypoints.api.documentation_page import documentation_page
from memberships_export.entrypoints.api.headers import SECURITY_HEADERS
from memberships_export.entrypoints.api.health import Details, health_router
from memberships_export.entrypoints.api.problem_route import ProblemRoute
from memberships_export.entrypoints.api.router import exports_router
from tests.fakes.world import World
from tests.unit.api.service import exports_api


class Page(HTMLParser):
    """What is in a page; fails on what is not closed in the right order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        named = dict(attrs)
        assert not any(name.startswith("on") or name in {"src", "style"} for name in named)
        self.ids += [named["id"] or ""] if "id" in named else []
        self.links += [named["href"] or ""] if "href" in named else []
        if tag not in {"meta", "br"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    repository = SqliteMembershipRepository(tmp_path / "memberships.db")
    memberships = memberships_router(repository, str, route_class=ProblemRoute)
    return TestClient(
        create_app([memberships, exports_router(exports_api(World())), health_router(lambda: None, Details())])
    )


def test_the_page_shows_every_operation_answer_and_field(client: TestClient) -> None:
    page, document = Page(client.get("/docs").text), client.get("/openapi.json").json()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert f"{method.upper()} {path}" in page.words
            assert operation["operationId"] in page.ids
            for response in operation["responses"].values():
                assert response["description"].replace("`", "") in page.words
    for schema in document["components"]["schemas"].values():
        for field in schema.get("properties", {}):
            assert field in page.words


def test_its_links_lead_somewhere(client: TestClient) -> None:
    page = Page(client.get("/docs").text)
    assert len(page.ids) == len(set(page.ids))
    assert {link for link in page.links if link.removeprefix("#") not in page.ids} == {"openapi.json"}


def test_it_loads_nothing_and_runs_nothing(client: TestClient) -> None:
    response = client.get("/docs")
    policy = response.headers["Content-Security-Policy"]
    (style,) = re.findall(r"<style>(.*?)</style>", response.text, re.DOTALL)
    assert Page(response.text).tags.isdisjoint({"script", "link", "img", "iframe", "base", "form", "object"})
    assert "url(" not in style
    assert "@import" not in style
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    others = {name: value for name, value in SECURITY_HEADERS.items() if name != "Content-Security-Policy"}
    assert {name: response.headers[name] for name in others} == others


def test_head_and_a_public_path_work_as_elsewhere() -> None:
    client = TestClient(create_app([exports_router(exports_api(World()))], "/club"))
    assert client.get("/club/docs").text == client.get("/docs").text
    assert (client.head("/docs").status_code, client.head("/docs").content) == (200, b"")
    assert client.post("/docs").headers["Content-Type"] == "application/problem+json"


def test_what_a_document_says_is_text_on_the_page() -> None:
    evil = "<script>alert(1)</script>'\"&`<b>`"
    operation = {
        "operationId": "x",
        "summary": evil,
        "description": evil,
        "parameters": [{"name": evil, "in": evil, "schema": {"enum": [evil]}, "description": evil}],
        "responses": {"200": {"description": evil, "content": {evil: {"example": {evil: evil}}}}},
    }
    info = {"title": evil, "version": evil, "description": evil}
    document = {"info": info, "paths": {evil: {"get": operation}}, "components": {"schemas": {}}}
    body = bytes(documentation_page(document).body).decode()
    assert "<script" not in body
    assert "<b>" not in body
    assert json.dumps(evil)[1:-1] in Page(body).words
