"""The memberships API that comes with the service, in the same process: for trying it out, and for one machine."""

from collections.abc import Callable

from fastapi import APIRouter
from starlette.requests import Request

from memberships_api.router import memberships_router
from memberships_export.entrypoints.api.problem_route import ProblemRoute
from memberships_export.entrypoints.cli.serve.memberships_file import memberships_to_serve
from memberships_export.service.user.callers import InvalidToken, TokenVerifier
from memberships_export.settings import Settings


def bundled_memberships(settings: Settings, tokens: TokenVerifier) -> APIRouter:
    """Make the route, answering errors in the same form as those of the exports. `tokens` checks who may read it."""
    return memberships_router(memberships_to_serve(settings), _user_of(tokens), route_class=ProblemRoute)


def _user_of(tokens: TokenVerifier) -> Callable[[Request], str]:
    def user_of(request: Request) -> str:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise InvalidToken("There is no token: send the header Authorization: Bearer <token>.")
        return tokens.verify(token.strip()).user_id

    return user_of
