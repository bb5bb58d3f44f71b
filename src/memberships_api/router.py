"""`GET /memberships`, for any FastAPI application."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from memberships_api.cursor import Cursor, InvalidCursor, check_cursor, read_cursor, warm_up, write_cursor
from memberships_api.forms import accepted_form, page_response
from memberships_api.openapi import RESPONSES
from memberships_api.repository import MembershipRepository, MembershipsUnavailable, Page, PageRequest, Snapshot

log = logging.getLogger(__name__)
MAX_LIMIT = 10_000
_BACK_SOON = "5"  # seconds

Authenticate = Callable[[Request], str]
"""Gives the id of the user who asks, or raises HTTPException(401)."""

Clock = Callable[[], datetime]
"""The time now, as an aware datetime."""

# Documents how to authenticate; the application does it.
_BEARER = HTTPBearer(auto_error=False, description="A token of the application that hosts this API.")

_Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows per page.")]
_Cursor = Annotated[str | None, Query(description="`nextCursor` of the page before; valid for 7 days.")]
_State = Annotated[str | None, Query(min_length=1, description="Only memberships in exactly this state.")]


def _utc_now() -> datetime:
    return datetime.now(UTC)


def memberships_router(
    repository: MembershipRepository,
    authenticate: Authenticate,
    clock: Clock = _utc_now,
    route_class: type[APIRoute] = APIRoute,
) -> APIRouter:
    """Make the route; whoever includes it renders 401, 503 and 422 (RequestValidationError, also for a bad cursor)."""
    warm_up()
    router = APIRouter(route_class=route_class, tags=["memberships"])
    cursors = _Cursors(repository.cursor_key, clock)

    def user_of(request: Request) -> str:
        return authenticate(request)

    @router.get(
        "/memberships",
        operation_id="listMemberships",
        summary="List your memberships",
        response_class=Response,
        responses=RESPONSES,
        dependencies=[Depends(_BEARER)],
    )
    def list_memberships(
        request: Request,
        user_id: Annotated[str, Depends(user_of)],
        limit: _Limit = 100,
        cursor: _Cursor = None,
        state: _State = None,
    ) -> Response:
        """All memberships of the user who asks, page by page, in the order of their ids.

        Follow `nextCursor` until it is null. Rows that are added meanwhile neither appear nor shift others, and
        `total` stays what it was on the first page. By `Accept`, rows come as arrays, which takes half the bytes, or
        one in a line.
        """
        form = accepted_form(request.headers.getlist("Accept"))
        with _unavailable_as_503():
            asked = cursors.resume(PageRequest(user_id, limit, state, form=form), cursor)
            page = repository.page(asked)
            following = cursors.after(page, asked)
        return page_response(page, asked, following)

    return router


@contextmanager
def _unavailable_as_503() -> Iterator[None]:
    try:
        yield
    except MembershipsUnavailable as error:
        log.warning("event=unavailable reason=%s", error)
        detail = "The memberships cannot be read at the moment: try again a little later."  # the rest is for the log
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": _BACK_SOON}) from error


class _Cursors:
    def __init__(self, key: Callable[[], bytes], clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def resume(self, request: PageRequest, text: str | None) -> PageRequest:
        if text is None:
            return request
        try:
            cursor = read_cursor(text, self._key())
            check_cursor(cursor, request.user_id, request.state, self._clock())
        except InvalidCursor as error:
            detail = {"type": "cursor_invalid", "loc": ("query", "cursor"), "msg": str(error), "input": text}
            raise RequestValidationError([detail]) from error
        snapshot = Snapshot(cursor.bound, cursor.total)
        return replace(request, after=cursor.after, snapshot=snapshot)

    def after(self, page: Page, request: PageRequest) -> str | None:
        if page.next_after is None:
            return None
        issued_at = int(self._clock().timestamp())
        snapshot = page.snapshot
        cursor = Cursor(request.user_id, request.state, page.next_after, snapshot.bound, snapshot.total, issued_at)
        return write_cursor(cursor, self._key())
