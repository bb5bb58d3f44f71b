"""Finding out who calls: by the bearer token, or by what the app that the routes are mounted in knows of a request."""

from http import HTTPStatus
from inspect import isawaitable, iscoroutinefunction
from types import UnionType

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from memberships_export.entrypoints.api.exports_api import Identify
from memberships_export.entrypoints.api.problems import HttpRefusal
from memberships_export.service.user.callers import (
    AddressingVerifier,
    Caller,
    PromptVerifier,
    TokenVerifier,
    checked_user_id,
)


class Callers:
    """What `tokens` can do is found out once, and not with each request. Whoever may wait does so in a thread."""

    def __init__(self, tokens: TokenVerifier | Identify) -> None:
        """`tokens`: as of ExportsApi."""
        self._find = _ByToken(tokens) if isinstance(tokens, TokenVerifier) else _ByRequest(tokens)

    async def find(self, request: Request, token: str | None, *, to_mail_to: bool) -> Caller:
        """Find out who calls; `to_mail_to`: and, where the token does not prove it, where to mail to.

        Raises InvalidToken, IdentityUnavailable, InvalidUserId.
        """
        return _believable(await self._find(request, token, to_mail_to=to_mail_to))


class _ByToken:
    def __init__(self, tokens: TokenVerifier) -> None:
        self._prompt = tokens if isinstance(tokens, PromptVerifier) else None
        self._verify = self._verify_with_address = tokens.verify
        if isinstance(tokens, AddressingVerifier):
            self._verify_with_address = tokens.verify_with_address

    async def __call__(self, _: Request, token: str | None, *, to_mail_to: bool) -> object:
        if token is None:
            detail = "There is no token: send the header Authorization: Bearer <token>."
            raise HttpRefusal(HTTPStatus.UNAUTHORIZED, "token_missing", detail, {"WWW-Authenticate": "Bearer"})
        known = self._prompt.at_once(token, to_mail_to=to_mail_to) if self._prompt else None
        return known or await run_in_threadpool(self._verify_with_address if to_mail_to else self._verify, token)


class _ByRequest:
    def __init__(self, identify: Identify) -> None:
        self._identify = identify
        self._is_async = iscoroutinefunction(identify) or iscoroutinefunction(type(identify).__call__)

    async def __call__(self, request: Request, _: str | None, *, to_mail_to: bool) -> object:  # noqa: ARG002  (as above)
        _refuse_forgery(request)
        found = self._identify(request) if self._is_async else await run_in_threadpool(self._identify, request)
        return await found if isawaitable(found) else found


def comes_from_another_site(request: Request) -> bool:
    """Tell what browsers say of a request that a page of another site made them send."""
    return "cross-site" in ",".join(request.headers.getlist("Sec-Fetch-Site")).lower()


def _refuse_forgery(request: Request) -> None:
    """Refuse what another site sends, where it may be a cookie that tells who calls: browsers add it by themselves."""
    changes = request.method not in {"GET", "HEAD"}
    if changes and "Authorization" not in request.headers and comes_from_another_site(request):
        detail = "A request from another site changes nothing here unless it brings a token."
        raise HttpRefusal(HTTPStatus.FORBIDDEN, "cross_site", detail)


def _believable(found: object) -> Caller:
    """Hold what somebody else's code tells to what tokens are held to. TypeError is for its author."""
    if not isinstance(found, Caller) or not _is_typed(found):
        raise TypeError(
            f"`tokens` of ExportsApi gave {type(found).__name__}, but must raise InvalidToken or give a Caller with "
            "text as user_id, text or None as email, locale and time_zone, and True, False or None as email_verified."
        )
    checked_user_id(found.user_id)
    return found


_KINDS: dict[str, type | UnionType] = {
    "user_id": str,
    "email": str | None,
    "email_verified": bool | None,
    "locale": str | None,
    "time_zone": str | None,
}


def _is_typed(caller: Caller) -> bool:
    return all(isinstance(getattr(caller, name), kind) for name, kind in _KINDS.items())
