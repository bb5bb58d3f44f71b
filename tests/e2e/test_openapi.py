"""Schemathesis reads the OpenAPI document, makes requests from it, good and bad, and holds every answer against it."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.requests import Request

from memberships_api.router import memberships_router
from memberships_api.sample import sample_memberships
from memberships_api.sqlite_repository import SqliteMembershipRepository
from memberships_export.entrypoints.api import examples
from memberships_export.entrypoints.api.app import create_app
from memberships_export.entrypoints.api.exports_api import ExportsApi
from memberships_export.entrypoints.api.health import Details, health_router
from memberships_export.entrypoints.api.problem_route import ProblemRoute
from memberships_export.entrypoints.api.router import exports_router
from memberships_export.entrypoints.cli.serve.api_thread import ApiThread
from memberships_export.entrypoints.cli.serve.limits import Limits
from memberships_export.service.user.callers import InvalidToken, TokenVerifier
from rig.waiting import LAST_RESORT_SECONDS
from tests.fakes.world import World
from tests.unit.api.service import HmacWebhook, exports_api, token_for

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
# What a schema cannot say: a cursor comes from the page before, a key belongs to one set of options, files expire,
# options do not all go together, and columns are those of the profile.
CONFIG = """
[[operations]]
include-name = "GET /memberships/export"
checks.positive_data_acceptance.expected-statuses = ["200", "202", "422"]

[[operations]]
include-name = "GET /memberships/exports/options"
checks.positive_data_acceptance.expected-statuses = ["200", "422"]

[[operations]]
include-name = "GET /memberships"
checks.positive_data_acceptance.expected-statuses = ["200", "422"]

[[operations]]
include-name = "POST /memberships/exports"
checks.positive_data_acceptance.expected-statuses = ["200", "202", "422"]

[[operations]]
include-name = "GET /memberships/exports/{exportId}/file"
checks.positive_data_acceptance.expected-statuses = ["200", "404", "409", "410"]

[[operations]]
include-name = "HEAD /memberships/exports/{exportId}/file"
checks.positive_data_acceptance.expected-statuses = ["200", "404", "409", "410"]
"""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """The whole API on a free port of this machine."""
    world = World(max_exports_per_hour=1_000_000)
    # The id that the document gives as its example leads to a finished export.
    world.store.create(replace(examples.queued(), user_id="user-1", requested_at=world.clock(), wake_at=world.clock()))
    world.pass_time()
    api = exports_api(world, webhook=HmacWebhook())
    repository = SqliteMembershipRepository(tmp_path / "memberships.sqlite3")
    repository.add(sample_memberships(25, "user-1"))
    memberships = memberships_router(repository, lambda request: _user_of(api, request), route_class=ProblemRoute)
    app = create_app(
        [memberships, exports_router(api), health_router(lambda: None, Details(waiting=world.services.what_waits))]
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = ApiThread(app, [listening], Limits(), {})
        thread.start(lambda: None)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        assert thread.stop()
    repository.close()


def _user_of(api: ExportsApi, request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer":
        raise InvalidToken("There is no token.")
    assert isinstance(api.tokens, TokenVerifier)
    return api.tokens.verify(token).user_id


def test_every_answer_is_as_documented(url: str, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    options = ["--header", f"Authorization: Bearer {token_for()}", "--max-examples", "15", "--generation-deterministic"]
    run = subprocess.run(
        [SCHEMATHESIS, "run", f"{url}/openapi.json", *options, "--continue-on-failure", "--no-color"],
        cwd=tmp_path,  # it finds its configuration there, and leaves its notes
        capture_output=True,
        text=True,
        timeout=LAST_RESORT_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "18 selected / 18 total" in run.stdout
