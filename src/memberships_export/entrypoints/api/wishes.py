"""What somebody asks for: who they are, where the file goes, and what they said about it."""

from typing import Annotated

from fastapi import Depends, Header
from starlette.requests import Request

from memberships_export.domain.formats.options import Likes
from memberships_export.entrypoints.api.auth import AnyCaller, checked_email
from memberships_export.entrypoints.api.likes import likes_of
from memberships_export.entrypoints.api.options_query import read_query, refuse_query
from memberships_export.entrypoints.api.options_schemas import ExportOptions
from memberships_export.entrypoints.api.provided import Api, provided
from memberships_export.logs.about import request_in_hand
from memberships_export.service.user.callers import Caller
from memberships_export.service.user.request import Wish

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern="^[!-~]+$",
        description="Visible ASCII of your choice. The same key gives the export that it started, also a finished one.",
    ),
]


async def _likes(api: Api, caller: AnyCaller, request: Request) -> Likes:
    return likes_of(caller, request, api.request.choose.usual)


KnownLikes = Annotated[Likes, Depends(_likes)]


def wish_in_query(request: Request, caller: Caller) -> Wish:
    """Read what a GET asks for. Raises InvalidOptions, HttpRefusal."""
    return _wish(request, caller, read_query(request.query_params.multi_items()))


def wish_in_body(request: Request, caller: Caller, options: ExportOptions | None, key: str | None) -> Wish:
    """Read what a POST asks for. `key`: its idempotency key. Raises InvalidOptions, HttpRefusal."""
    refuse_query(request.query_params.multi_items())
    return _wish(request, caller, options.said() if options else {}, key)


def _wish(request: Request, caller: Caller, said: dict[str, object], key: str | None = None) -> Wish:
    return Wish(
        user_id=caller.user_id,
        email=checked_email(caller),
        said=said,
        likes=likes_of(caller, request, provided(request).api.request.choose.usual),
        idempotency_key=key,
        request_id=request_in_hand(),
    )
