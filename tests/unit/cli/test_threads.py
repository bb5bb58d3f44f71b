from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from memberships_export.entrypoints.cli.serve.api_thread import ApiThread
from memberships_export.entrypoints.cli.serve.limits import KEEP_ALIVE_SECONDS, Limits


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    told: dict[str, Any] = {}

    class Config(uvicorn.Config):
        def __init__(self, app: FastAPI, **settings: Any) -> None:  # noqa: ANN401  (as many as uvicorn has)
            told.update(settings)
            super().__init__(app, **settings)

    monkeypatch.setattr(uvicorn, "Config", Config)
    return told


def test_the_server_is_told_how_long_to_keep_a_connection_that_is_not_used(told: dict[str, Any]) -> None:
    ApiThread(FastAPI(), [], Limits(), {})

    assert told["timeout_keep_alive"] == KEEP_ALIVE_SECONDS


def test_of_several_that_share_a_socket_each_takes_one_connection_at_a_time(told: dict[str, Any]) -> None:
    ApiThread(FastAPI(), [], Limits(), {}, shares_sockets=True)

    assert told["backlog"] == 1, "asyncio takes so many at once, and the other process would have none to answer"
