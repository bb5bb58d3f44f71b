"""What each request is given: the use cases, and what is made of them once for all requests."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from memberships_export.entrypoints.api.asking import Asking
from memberships_export.entrypoints.api.callers import Callers
from memberships_export.entrypoints.api.exports_api import ExportsApi

PROVIDED = "memberships_export.provided"  # where a scope keeps it


@dataclass(frozen=True, slots=True)
class Provided:
    """One for each router, whatever app that is mounted in."""

    api: ExportsApi
    callers: Callers
    ask: Asking


def provide(api: ExportsApi) -> Provided:
    """Make it, at the start."""
    return Provided(api, Callers(api.tokens), Asking(api))


def provided(request: Request) -> Provided:
    """Return what the route of this request was given."""
    found: Provided = request.scope[PROVIDED]
    return found


async def _api(request: Request) -> ExportsApi:
    return provided(request).api


Api = Annotated[ExportsApi, Depends(_api)]
