"""For load balancers: whether the process is up, and whether it can work."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from memberships_export.entrypoints.api.documentation import operation_id, problems
from memberships_export.entrypoints.api.problem_route import ProblemRoute, add_reading_route, share_paths
from memberships_export.service.operator.what_waits import Waiting

_SHORT = {"response_model_exclude_none": True}


class WaitingExports(BaseModel):
    """Exports that wait for the same: the trouble's code, how many of the next hundred, the longest since when."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    exports: int
    since: datetime


class Health(BaseModel):
    """The good answer; the bad one is a problem."""

    status: str = "ok"
    waiting: list[WaitingExports] | None = None


def health_router(ready: Callable[[], None], waiting: Callable[[], Sequence[Waiting]]) -> APIRouter:
    """Make the router. `ready` returns when the store answers, and raises StorageUnavailable when it does not.

    `waiting` tells what exports wait for, and may raise the same.
    """
    router = APIRouter(route_class=ProblemRoute, tags=["health"], generate_unique_id_function=operation_id)

    async def is_alive() -> Health:
        return Health()

    def is_ready(
        verbose: Annotated[bool, Query(description="Say also what exports wait for.")] = False,  # noqa: FBT002  (a parameter of the query)
    ) -> Health:
        ready()
        return Health(waiting=[WaitingExports.model_validate(kind) for kind in waiting()] if verbose else None)

    add_reading_route(router, "/healthz", is_alive, summary="Is the process up?", **_SHORT)
    add_reading_route(
        router, "/readyz", is_ready, summary="Can the service do its work?", responses=problems(422, 503), **_SHORT
    )
    return share_paths(router)
