"""What a token endpoint answered (RFC 6749 5): a token and its life, or why there is none."""

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any

DEFAULT_LIFE = 3600.0  # seconds, when the answer names none; dlt takes the same. A shorter one ends with a 401
_LONGEST_LIFE = 86_400.0
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")  # what a header can carry, and a server will take
_ERRORS = frozenset(
    {
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "invalid_target",  # RFC 8707
        "unauthorized_client",
        "unsupported_grant_type",
    }
)


@dataclass(frozen=True, slots=True)
class Granted:
    """A token, and for how many seconds it is good from the moment it was asked for."""

    token: str = field(repr=False)
    life: float


def granted(body: bytes) -> Granted:
    """Read the answer. ValueError completes "The token endpoint at ...", and quotes nothing of it."""
    answer = _object(body)
    if answer is None:
        raise ValueError("sent something that is no JSON object")
    kind, token = answer.get("token_type", "bearer"), answer.get("access_token")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise ValueError("gave a token whose token_type is not bearer")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise ValueError("gave no access_token that a header can carry")
    return Granted(token, _life(answer.get("expires_in")))


def error_code(body: bytes) -> str | None:
    """Return the code of an error, if it is one of those that the standard names."""
    code = (_object(body) or {}).get("error")
    return code if isinstance(code, str) and code in _ERRORS else None


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _life(told: object) -> float:
    """Read seconds, which some servers send as text. What is no such number counts as not told."""
    try:
        life = float(told) if isinstance(told, int | float | str) and not isinstance(told, bool) else math.nan
    except (ValueError, OverflowError):
        return DEFAULT_LIFE
    return min(life, _LONGEST_LIFE) if life > 0 else DEFAULT_LIFE
