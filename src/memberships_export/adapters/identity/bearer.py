"""What a bearer token of a kind that only its provider can read must look like before it is sent anywhere."""

import re

from memberships_export.service.user.callers import InvalidToken

_LONGEST_TOKEN = 8192
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 2.1: nothing that breaks a header or a form


def checked_bearer(token: str) -> str:
    """Return the token. Raises InvalidToken."""
    if len(token) > _LONGEST_TOKEN or not _TOKEN.fullmatch(token):
        raise InvalidToken(f"The token is not a bearer token of at most {_LONGEST_TOKEN} characters (RFC 6750).")
    return token
