"""For load balancers: whether the process is up, and whether it can work."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from memberships_export.entrypoints.api.documentation import operation_id, problems
from memberships_export.entrypoints.api.problem_route import ProblemRoute, add_reading_route, share_paths
from memberships_export.service.operator.first_look import ApiFound
from memberships_export.service.operator.what_waits import Waiting

_MORE = "Say also what exports wait for, and what of the memberships API does not fit its profile."
_SHORT = {"response_model_exclude_none": True}


class WaitingExports(BaseModel):
    """Exports that wait for the same: the trouble's code, how many of the next hundred, the longest since when."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    exports: int
    since: datetime


class CheckedApi(BaseModel):
    """What this process found at its start: by which profile it asks, and what did not fit (never why, nor where)."""

    model_config = ConfigDict(from_attributes=True)

    profile: str
    sha256: str
    checked: datetime
    problems: list[str]


class Health(BaseModel):
    """The good answer; the bad one is a problem."""

    status: str = "ok"
    waiting: list[WaitingExports] | None = None
    api: CheckedApi | None = None


def health_router(
    ready: Callable[[], None],
    waiting: Callable[[], Sequence[Waiting]],
    found: Callable[[], ApiFound | None] = lambda: None,
) -> APIRouter:
    """Make the router. `ready` returns when the store answers, and raises StorageUnavailable when it does not.

    `waiting` tells what exports wait for, and may raise the same; `found` what is known of the memberships API.
    """
    router = APIRouter(route_class=ProblemRoute, tags=["health"], generate_unique_id_function=operation_id)

    async def is_alive() -> Health:
        return Health()

    def is_ready(
        verbose: Annotated[bool, Query(description=_MORE)] = False,  # noqa: FBT002  (a parameter of the query)
    ) -> Health:
        ready()
        if not verbose:
            return Health()
        api = found()
        return Health(
            waiting=[WaitingExports.model_validate(kind) for kind in waiting()],
            api=CheckedApi.model_validate(api) if api else None,
        )

    add_reading_route(router, "/healthz", is_alive, summary="Is the process up?", **_SHORT)
    add_reading_route(
        router, "/readyz", is_ready, summary="Can the service do its work?", responses=problems(422, 503), **_SHORT
    )
    return share_paths(router)
