"""For load balancers: whether the process is up, and whether it can work."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request

from memberships_export.domain.pause import Pause
from memberships_export.entrypoints.api.documentation import operation_id, problems
from memberships_export.entrypoints.api.problem_route import ProblemRoute, add_reading_route, share_paths
from memberships_export.entrypoints.api.problems import HttpRefusal
from memberships_export.service.operator.first_look import ApiFound
from memberships_export.service.operator.noticed import Noticed
from memberships_export.service.operator.what_waits import Waiting

_MORE = "From this machine only: say also what exports wait for, what the process noticed, and whether it is paused."
_ELSEWHERE = "Details are told on the machine of the service only: curl 'http://127.0.0.1:8000/readyz?verbose=1' there."
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


class NoticedEvent(BaseModel):
    """What the process told in its log within the last hour: a bug, or who refuses us. How often, and when."""

    model_config = ConfigDict(from_attributes=True)

    what: str
    by: str
    count: int
    since: datetime
    last: datetime


class PausedService(BaseModel):
    """Since when an operator has paused the service, who, and why."""

    model_config = ConfigDict(from_attributes=True)

    since: datetime
    by: str
    reason: str
    drain: bool


class Health(BaseModel):
    """The good answer; the bad one is a problem."""

    status: str = "ok"
    waiting: list[WaitingExports] | None = None
    api: CheckedApi | None = None
    noticed: list[NoticedEvent] | None = None
    paused: PausedService | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What operators may know. Each may raise StorageUnavailable.

    `waiting`: what exports wait for; `found`: what is known of the memberships API; `noticed`: what the process told.
    """

    waiting: Callable[[], Sequence[Waiting]] = tuple
    found: Callable[[], ApiFound | None] = lambda: None
    noticed: Callable[[], Sequence[Noticed]] = tuple
    paused: Callable[[], Pause | None] = lambda: None

    def health(self) -> Health:
        """Collect them."""
        api, paused = self.found(), self.paused()
        return Health(
            waiting=[WaitingExports.model_validate(kind) for kind in self.waiting()],
            api=CheckedApi.model_validate(api) if api else None,
            noticed=[NoticedEvent.model_validate(one) for one in self.noticed()],
            paused=PausedService.model_validate(paused) if paused else None,
        )


# Set by what passes on what others ask for. A proxy that sets none of them must not pass on this path.
_PASSED_ON = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")


def _asks_on_this_machine(request: Request) -> bool:
    """Tell whether somebody on this machine asks, and not a proxy on it for somebody elsewhere."""
    if request.client is None or any(name in request.headers for name in _PASSED_ON):
        return False
    try:
        address = ip_address(request.client.host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def health_router(ready: Callable[[], None], details: Details) -> APIRouter:
    """Make the router. `ready` returns when a write succeeds, and raises StorageUnavailable when it does not."""
    router = APIRouter(route_class=ProblemRoute, tags=["health"], generate_unique_id_function=operation_id)

    async def is_alive() -> Health:
        return Health()

    def is_ready(
        request: Request,
        verbose: Annotated[bool, Query(description=_MORE)] = False,  # noqa: FBT002  (a parameter of the query)
    ) -> Health:
        if verbose and not _asks_on_this_machine(request):
            raise HttpRefusal(HTTPStatus.FORBIDDEN, "operators_only", _ELSEWHERE)
        ready()
        return details.health() if verbose else Health()

    add_reading_route(router, "/healthz", is_alive, summary="Is the process up?", **_SHORT)
    add_reading_route(
        router, "/readyz", is_ready, summary="Can the service do its work?", responses=problems(403, 422, 503), **_SHORT
    )
    return share_paths(router)
