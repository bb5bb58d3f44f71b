"""A route that answers its own errors and sets its own headers: it behaves the same in whatever app it is mounted."""

import logging
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from memberships_export.domain.errors import TransientError
from memberships_export.entrypoints.api.export_ids import is_export_id
from memberships_export.entrypoints.api.headers import secured
from memberships_export.entrypoints.api.problems import HttpRefusal, answer_to, unforeseen
from memberships_export.entrypoints.api.request_ids import identified
from memberships_export.service.user.callers import IdentityUnavailable

log = logging.getLogger(__name__)
LONGEST_BODY = 1024 * 1024  # bytes; SendGrid's batches stay below 768 KB

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class ProblemRoute(APIRoute):
    """Turns errors into problems, bounds request bodies and adds the security headers."""

    allowed: frozenset[str] = frozenset()
    """All methods of the path, where several routes share it (see `share_paths`)."""
    given: Mapping[str, object] = MappingProxyType({})
    """What goes along in the scope of each request."""

    def get_route_handler(self) -> Handler:
        """Return FastAPI's handler, with every error answered as a problem and HEAD without a body."""
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            answer = await self._answer(handler, request)
            return _head_of(answer) if request.method == "HEAD" else answer

        return guarded

    async def _answer(self, handler: Handler, request: Request) -> Response:
        bounded = Request(request.scope, _bounded(request.receive))
        try:
            return secured(await handler(bounded))
        except ClientDisconnect:
            log.info("path=%s event=broken_off reason=The client was gone before its request was whole.", self.path)
            return secured(Response(status_code=HTTPStatus.BAD_REQUEST))  # nobody is there to read it
        except Exception as error:  # noqa: BLE001  (the last one who can answer; it is logged)
            return error_answer(error, request, self.path)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Name the request. Answer a method that the path does not have; FastAPI raises that outside the handler."""
        scope.update(self.given)
        with identified(scope, send) as answer:
            await self._handle(scope, receive, answer)

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().handle(scope, receive, send)
        except HTTPException:
            allowed = ", ".join(sorted(self.allowed or self.methods or ()))
            detail = f"{scope['method']} is not possible here. Possible: {allowed}."
            refused = HttpRefusal(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", detail, {"Allow": allowed})
            await error_answer(refused, Request(scope), self.path)(scope, receive, send)


def add_reading_route(router: APIRouter, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401
    """Add a route for GET, and one for HEAD, which monitors and scanners of links use. `options`: as of APIRouter."""
    router.add_api_route(path, endpoint, **options)
    first, *rest = endpoint.__name__.split("_")
    only_looked_at = {
        "summary": f"{options['summary']} (without the body)",
        "description": "As GET, without the body.",
        "operation_id": "head" + "".join(word.capitalize() for word in [first, *rest]),
    }
    router.add_api_route(path, endpoint, methods=["HEAD"], **options | only_looked_at)


def share_paths(router: APIRouter, given: Mapping[str, object] = MappingProxyType({})) -> APIRouter:
    """Tell routes of the same path of each other, so that a 405 lists all methods. Returns the router.

    `given`: what all of its routes hand on in the scope of each request.
    """
    routes = [route for route in router.routes if isinstance(route, ProblemRoute)]
    for route in routes:
        route.allowed = frozenset().union(*(other.methods or () for other in routes if other.path == route.path))
        route.given = given
    return router


def error_answer(error: Exception, request: Request, path: str) -> Response:
    """Answer an error and log what the client is not told.

    `path`: as declared, for the log; the real one may hold the token of a download link.
    """
    answer = answer_to(error)
    if answer is None:
        instance = f"urn:uuid:{uuid4()}"
        answer = unforeseen(instance)
        log.error("instance=%s path=%s event=unforeseen_error", instance, path, exc_info=error)
    elif isinstance(error, TransientError | IdentityUnavailable):
        log.warning("path=%s event=unavailable reason=%s", path, error.reason)
    export_id = str(request.path_params.get("exportId", ""))
    return secured(answer.to_response(export_id if is_export_id(export_id) else None))


def _head_of(response: Response) -> Response:
    """Answer a HEAD: what a GET would, length and all, without the body, of which nothing is read."""
    head = Response(status_code=response.status_code)
    head.raw_headers = response.raw_headers
    return head


def _bounded(receive: Receive) -> Receive:
    size = 0

    async def bounded() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > LONGEST_BODY:
            detail = f"The request body is longer than {LONGEST_BODY} bytes: send less."
            raise HttpRefusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", detail)
        return message

    return bounded
