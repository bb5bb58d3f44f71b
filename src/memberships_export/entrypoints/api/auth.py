"""Who is calling: the bearer token in the Authorization header and nothing else, no cookie and no query parameter."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from memberships_export.entrypoints.api.exports_api import Api
from memberships_export.entrypoints.api.problems import HttpRefusal
from memberships_export.service.user.callers import Caller

_bearer = HTTPBearer(
    auto_error=False,  # its own error is no problem document
    bearerFormat="JWT",
    description="`sub` is the user id, `email` the address that exports are mailed to.",
)


def _caller(api: Api, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Caller:
    """Verify the token. Raises InvalidToken, KeysUnavailable."""
    if credentials is None:
        detail = "There is no token: send the header Authorization: Bearer <token>."
        raise HttpRefusal(HTTPStatus.UNAUTHORIZED, "token_missing", detail, {"WWW-Authenticate": "Bearer"})
    return api.tokens.verify(credentials.credentials)


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
