"""What somebody asks for: who they are, where the file goes, and what they said about it."""

from typing import Annotated

from fastapi import Depends, Header
from starlette.requests import Request

from memberships_export.domain.formats.options import Likes
from memberships_export.entrypoints.api.auth import AnyCaller, MailedCaller, checked_email
from memberships_export.entrypoints.api.exports_api import Api
from memberships_export.entrypoints.api.likes import likes_of
from memberships_export.entrypoints.api.options_query import read_query, refuse_query
from memberships_export.entrypoints.api.options_schemas import ExportOptions
from memberships_export.logs.about import request_in_hand
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


async def _wish_in_query(api: Api, caller: MailedCaller, request: Request) -> Wish:
    said = read_query(request.query_params.multi_items())
    likes = likes_of(caller, request, api.request.choose.usual)
    return Wish(
        user_id=caller.user_id,
        email=checked_email(caller),
        said=said,
        likes=likes,
        request_id=request_in_hand(),
    )


async def _wish_in_body(
    api: Api,
    caller: MailedCaller,
    request: Request,
    options: ExportOptions | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Wish:
    refuse_query(request.query_params.multi_items())
    return Wish(
        user_id=caller.user_id,
        email=checked_email(caller),
        said=options.said() if options else {},
        likes=likes_of(caller, request, api.request.choose.usual),
        idempotency_key=idempotency_key,
        request_id=request_in_hand(),
    )


KnownLikes = Annotated[Likes, Depends(_likes)]
WishInQuery = Annotated[Wish, Depends(_wish_in_query)]
WishInBody = Annotated[Wish, Depends(_wish_in_body)]
