"""Who is calling: the bearer token in the Authorization header, no cookie and no query parameter.

Unless the app that the routes are mounted in, or a gateway in front, tells it by other means.
"""

from collections.abc import Callable
from http import HTTPStatus
from inspect import isawaitable, iscoroutinefunction
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from memberships_export.entrypoints.api.exports_api import Api, Identify
from memberships_export.entrypoints.api.problems import HttpRefusal
from memberships_export.service.user.callers import AddressingVerifier, Caller, TokenVerifier, checked_user_id

_bearer = HTTPBearer(
    auto_error=False,  # its own error is no problem document
    bearerFormat="JWT",
    description="`sub` is the user id, `email` the address that exports are mailed to.",
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def _caller(api: Api, request: Request, credentials: Credentials) -> Caller:
    """Find out who calls. Raises InvalidToken, IdentityUnavailable, InvalidUserId."""
    if isinstance(api.tokens, TokenVerifier):
        return _believable(await run_in_threadpool(_verified, api.tokens.verify, credentials))
    _refuse_forgery(request)
    return _believable(await _identified(api.tokens, request))


async def _caller_to_mail_to(api: Api, request: Request, credentials: Credentials) -> Caller:
    """Find out who calls and, where the token does not prove it, where to mail to. Raises the same."""
    if isinstance(api.tokens, AddressingVerifier):
        return _believable(await run_in_threadpool(_verified, api.tokens.verify_with_address, credentials))
    return await _caller(api, request, credentials)


AnyCaller = Annotated[Caller, Depends(_caller)]
MailedCaller = Annotated[Caller, Depends(_caller_to_mail_to)]


def checked_email(caller: Caller) -> str:
    """Return the address that an export may be mailed to: it comes from the token alone."""
    if not caller.email:
        detail = "The token names no email address to send the export to: get one with the claim email."
        raise HttpRefusal(HTTPStatus.FORBIDDEN, "email_missing", detail)
    if caller.email_verified is False:
        detail = "The email address of this account is not verified: verify it, then get a new token."
        raise HttpRefusal(HTTPStatus.FORBIDDEN, "email_not_verified", detail)
    return caller.email


def comes_from_another_site(request: Request) -> bool:
    """Tell what browsers say of a request that a page of another site made them send."""
    return "cross-site" in ",".join(request.headers.getlist("Sec-Fetch-Site")).lower()


def _refuse_forgery(request: Request) -> None:
    """Refuse what another site sends, where it may be a cookie that tells who calls: browsers add it by themselves."""
    changes = request.method not in {"GET", "HEAD"}
    if changes and "Authorization" not in request.headers and comes_from_another_site(request):
        detail = "A request from another site changes nothing here unless it brings a token."
        raise HttpRefusal(HTTPStatus.FORBIDDEN, "cross_site", detail)


def _verified(verify: Callable[[str], Caller], credentials: HTTPAuthorizationCredentials | None) -> Caller:
    if credentials is None:
        detail = "There is no token: send the header Authorization: Bearer <token>."
        raise HttpRefusal(HTTPStatus.UNAUTHORIZED, "token_missing", detail, {"WWW-Authenticate": "Bearer"})
    return verify(credentials.credentials)


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
            "text as user_id, text or None as email, locale and time_zone, and True, False or None as email_verified."
        )
    checked_user_id(found.user_id)
    return found


def _is_typed(caller: Caller) -> bool:
    kinds = {
        "user_id": str,
        "email": str | None,
        "email_verified": bool | None,
        "locale": str | None,
        "time_zone": str | None,
    }
    return all(isinstance(getattr(caller, name), kind) for name, kind in kinds.items())
