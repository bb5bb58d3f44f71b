from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from memberships_export.entrypoints.cli.serve.limits import KEEP_ALIVE_SECONDS, Limits
from memberships_export.entrypoints.cli.serve.threads import ApiThread


def test_the_server_is_told_how_long_to_keep_a_connection_that_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {}

    class Config(uvicorn.Config):
        def __init__(self, app: FastAPI, **settings: Any) -> None:  # noqa: ANN401  (as many as uvicorn has)
            told.update(settings)
            super().__init__(app, **settings)

    monkeypatch.setattr(uvicorn, "Config", Config)

    ApiThread(FastAPI(), [], Limits(), {})

    assert told["timeout_keep_alive"] == KEEP_ALIVE_SECONDS
