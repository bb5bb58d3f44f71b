"""Tokens of a shared secret as nearly all are: known to be good without taking them apart three times.

Whatever is not exactly as expected is left to PyJWT, which alone refuses tokens. All that is read here, it would read.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_HEADERS = ({"alg": "HS256", "typ": "JWT"}, {"alg": "HS256"})


def plain_claims(token: str, secret: bytes, longest: int) -> Mapping[str, Any] | None:
    """Return the claims of a token that was signed with HS256 and this secret; None leaves the token to others."""
    if len(token) > longest or not token.isascii():
        return None
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_encoded(hmac.digest(secret, signed.encode(), "sha256")), signature.encode()):
        return None
    header, _, payload = signed.partition(".")
    claims = _read(payload) if _is_plain(header) else None
    return claims if isinstance(claims, dict) else None


@lru_cache(16)
def _is_plain(header: str) -> bool:
    """Remember the few headers that whoever has the secret writes."""
    return _read(header) in _HEADERS


def _read(segment: str) -> object:
    """Read JSON; None for what is not spelled as RFC 7515 has it."""
    try:
        content = urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        return json.loads(content) if _encoded(content) == segment.encode() else None
    except (ValueError, RecursionError):
        return None


def _encoded(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")
