"""Who is calling: the bearer token in the Authorization header, no cookie and no query parameter.

Unless the app that the routes are mounted in, or a gateway in front, tells it by other means.
"""

from http import HTTPStatus
from inspect import isawaitable, iscoroutinefunction
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from memberships_export.entrypoints.api.exports_api import Api, Identify
from memberships_export.entrypoints.api.problems import HttpRefusal
from memberships_export.service.user.callers import Caller, TokenVerifier, checked_user_id

_bearer = HTTPBearer(
    auto_error=False,  # its own error is no problem document
    bearerFormat="JWT",
    description="`sub` is the user id, `email` the address that exports are mailed to.",
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def _caller(api: Api, request: Request, credentials: Credentials) -> Caller:
    """Find out who calls. Raises InvalidToken, IdentityUnavailable, InvalidUserId."""
    if isinstance(api.tokens, TokenVerifier):
        return _believable(await run_in_threadpool(_verified, api.tokens, credentials))
    return _believable(await _identified(api.tokens, request))


AnyCaller = Annotated[Caller, Depends(_caller)]


def checked_email(caller: Caller) -> str:
    """Return the address that an export may be mailed to: it comes from the token alone."""
    if not caller.email:
        detail = "The token names no email address to send the export to: get one with the claim email."
        raise HttpRefusal(HTTPStatus.FORBIDDEN, "email_missing", detail)
    if caller.email_verified is False:
        detail = "The email address of this account is not verified: verify it, then get a new token."
        raise HttpRefusal(HTTPStatus.FORBIDDEN, "email_not_verified", detail)
    return caller.email


def _verified(tokens: TokenVerifier, credentials: HTTPAuthorizationCredentials | None) -> Caller:
    if credentials is None:
        detail = "There is no token: send the header Authorization: Bearer <token>."
        raise HttpRefusal(HTTPStatus.UNAUTHORIZED, "token_missing", detail, {"WWW-Authenticate": "Bearer"})
    return tokens.verify(credentials.credentials)


async def _identified(identify: Identify, request: Request) -> object:
    """Ask a function of any kind; one that may wait does not do so in the event loop."""
    is_async = iscoroutinefunction(identify) or iscoroutinefunction(type(identify).__call__)
    found = identify(request) if is_async else await run_in_threadpool(identify, request)
    return await found if isawaitable(found) else found


def _believable(found: object) -> Caller:
    """Hold what somebody else's code tells to what tokens are held to. TypeError is for its author."""
    if not isinstance(found, Caller) or not _is_typed(found):
        raise TypeError(
            f"`tokens` of ExportsApi gave {type(found).__name__}, but must raise InvalidToken or give a Caller with "
            "text as user_id, text or None as email, and True, False or None as email_verified."
        )
    checked_user_id(found.user_id)
    return found


def _is_typed(caller: Caller) -> bool:
    kinds = {"user_id": str, "email": str | None, "email_verified": bool | None}
    return all(isinstance(getattr(caller, name), kind) for name, kind in kinds.items())
