"""Answers that are written once are, byte for byte, what FastAPI would write of the documented model."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from memberships_export.domain.export.record import Export
from memberships_export.entrypoints.api import examples
from memberships_export.entrypoints.api.schemas import ExportView, export_view
from tests.fakes.world import World
from tests.unit.api.service import Service, exports_api, own_app

EXAMPLES: list[Callable[[], Export]] = [
    examples.queued,
    examples.running,
    examples.waiting,
    examples.completed,
    examples.failed,
    examples.cancelled,
    examples.resent,
]


def written_by_fastapi(view: ExportView) -> tuple[bytes, str]:
    app = FastAPI()

    async def shown() -> ExportView:
        return view

    app.add_api_route("/", shown, response_model=ExportView)
    answer = TestClient(app).get("/")
    return answer.content, answer.headers["Content-Type"]


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_status_is_written_as_fastapi_would_write_it(example: Callable[[], Export]) -> None:
    world = World()
    export = replace(example(), user_id="user-1", email="änna+\u2028\x7f@example.org", request_id='a"b\\c')
    world.store.records[export.export_id] = export

    answer = Service(world, own_app(exports_api(world))).get(f"/memberships/exports/{export.export_id}")

    shown = export_view(export, "", world.clock())
    assert (answer.content, answer.headers["Content-Type"]) == written_by_fastapi(shown)


def test_an_accepted_export_is_written_as_fastapi_would_write_it() -> None:
    world = World()
    answer = Service(world, own_app(exports_api(world))).get("/memberships/export")
    [export] = world.store.records.values()
    assert (answer.content, answer.headers["Content-Type"]) == written_by_fastapi(
        export_view(export, "", world.clock())
    )
