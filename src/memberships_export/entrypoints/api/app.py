"""The service as an app of its own."""

from collections.abc import Iterable
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from memberships_export.entrypoints.api.documentation import with_problem_type, without_bodies_of_heads
from memberships_export.entrypoints.api.documentation_page import documentation_page
from memberships_export.entrypoints.api.headers import securing
from memberships_export.entrypoints.api.problem_route import error_answer
from memberships_export.entrypoints.api.problems import HttpRefusal
from memberships_export.entrypoints.api.request_ids import identified

_DESCRIPTION = """
Ask for all of your memberships; the file is made in the background and arrives by email.

`GET /memberships/export` accepts the request at once. Follow the export at the path in `Location`, or wait for the
mail.
Each answer has an `X-Request-Id`: yours, if you send one, or the trace id of a `traceparent`. Quote it to support.
Errors are problem documents (RFC 9457); their `code` is for programs, their `detail` tells people what to do.
"""


class _App(FastAPI):
    public_path = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.public_path and not scope.get("root_path"):
            scope["root_path"] = self.public_path
        with identified(scope, send) as answer:
            await super().__call__(scope, receive, securing(answer))

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = without_bodies_of_heads(with_problem_type(super().openapi()))
        return self.openapi_schema


def create_app(routers: Iterable[APIRouter], public_path: str = "") -> FastAPI:
    """Make the app. OpenAPI is at /openapi.json, and for people at /docs.

    `public_path`: what users have before the paths of the routes, like /club. Links hold it, and the routes answer
    with and without it: a proxy may strip it or not.
    """
    app = _App(
        title="Memberships Export Service",
        version=version("memberships-export"),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        servers=[{"url": public_path}] if public_path else None,
        # Routers that are included are asked one after the other, with each request, which of them has the path.
        routes=[route for router in routers for route in router.routes],
        redirect_slashes=False,  # such a redirect would repeat the Host header, which is the client's word
    )
    app.public_path = public_path
    app.add_route("/docs", _documentation)
    app.add_exception_handler(HTTPException, _no_route)
    return app


def _documentation(request: Request) -> Response:
    app: FastAPI = request.app
    return documentation_page(app.openapi())


async def _no_route(request: Request, error: Exception) -> Response:
    """Answer for paths that no router has."""
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.NOT_FOUND:
        detail = "There is nothing at this path: /docs shows all there are."
        error = HttpRefusal(HTTPStatus.NOT_FOUND, "no_such_path", detail)
    return error_answer(error, request, "-")
