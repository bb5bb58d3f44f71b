"""Who is calling: the bearer token in the Authorization header, no cookie and no query parameter.

Unless the app that the routes are mounted in, or a gateway in front, tells it by other means.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import Request

from memberships_export.entrypoints.api.problems import HttpRefusal
from memberships_export.entrypoints.api.provided import provided
from memberships_export.service.user.callers import Caller

_BEARER = HTTPBearer(
    auto_error=False,  # its own error is no problem document
    bearerFormat="JWT",
    description="`sub` is the user id, `email` the address that exports are mailed to.",
)


class ByBearer(SecurityBase):
    """Documents the token, and finds out whose it is: one step for FastAPI instead of three."""

    def __init__(self, *, to_mail_to: bool, first: Callable[[Request], None] = lambda _: None) -> None:
        """`to_mail_to`: they are to be mailed to. `first`: raises HttpRefusal, whoever it is."""
        self.model, self.scheme_name = _BEARER.model, _BEARER.scheme_name  # what the document says
        self._to_mail_to, self._first = to_mail_to, first

    async def __call__(self, request: Request) -> Caller:
        """Find out who calls. Raises InvalidToken, IdentityUnavailable, InvalidUserId."""
        self._first(request)
        credentials = await _BEARER(request)
        token = credentials.credentials if credentials else None
        return await provided(request).callers.find(request, token, to_mail_to=self._to_mail_to)


AnyCaller = Annotated[Caller, Depends(ByBearer(to_mail_to=False))]
MailedCaller = Annotated[Caller, Depends(ByBearer(to_mail_to=True))]


def checked_email(caller: Caller) -> str:
    """Return the address that an export may be mailed to: it comes from the token alone."""
    if not caller.email:
        detail = "The token names no email address to send the export to: get one with the claim email."
        raise HttpRefusal(HTTPStatus.FORBIDDEN, "email_missing", detail)
    if caller.email_verified is False:
        detail = "The email address of this account is not verified: verify it, then get a new token."
        raise HttpRefusal(HTTPStatus.FORBIDDEN, "email_not_verified", detail)
    return caller.email
