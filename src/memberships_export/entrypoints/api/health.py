"""For load balancers: whether the process is up, and whether it can work."""

from collections.abc import Callable

from fastapi import APIRouter
from pydantic import BaseModel

from memberships_export.entrypoints.api.documentation import operation_id, problems
from memberships_export.entrypoints.api.problem_route import ProblemRoute, add_reading_route, share_paths


class Health(BaseModel):
    """The good answer; the bad one is a problem."""

    status: str = "ok"


def health_router(ready: Callable[[], None]) -> APIRouter:
    """Make the router. `ready` returns when the store answers, and raises StorageUnavailable when it does not."""
    router = APIRouter(route_class=ProblemRoute, tags=["health"], generate_unique_id_function=operation_id)

    async def is_alive() -> Health:
        return Health()

    def is_ready() -> Health:
        ready()
        return Health()

    add_reading_route(router, "/healthz", is_alive, summary="Is the process up?")
    add_reading_route(router, "/readyz", is_ready, summary="Can the service do its work?", responses=problems(503))
    return share_paths(router)
