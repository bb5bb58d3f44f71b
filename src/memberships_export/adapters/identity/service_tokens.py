"""Bearer tokens (JWT) that this service makes. A Lambda function loads this module, and no cryptography for it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from memberships_export.ports import Clock

ALGORITHM = "HS256"
SERVICE_SCOPE = "memberships:read"
_SHORTEST_SECRET = 32  # RFC 7518 3.2: as long as the hash


@dataclass(frozen=True, slots=True)
class ServiceTokens:
    """Makes the tokens the worker shows to the memberships API: for exactly one user, to read, for minutes."""

    secret: str = field(repr=False)
    issuer: str
    audience: str
    lifetime: timedelta = timedelta(minutes=2)
    clock: Clock = field(default=lambda: datetime.now(UTC), repr=False)

    def __post_init__(self) -> None:
        """Refuse a secret that is too short, at start and not with the first token."""
        checked_secret(self.secret)

    def __call__(self, user_id: str) -> str:
        """Make a token for one user."""
        claims = {"sub": user_id, "iss": self.issuer, "aud": self.audience, "scope": SERVICE_SCOPE}
        return _signed(claims, self.secret, self.clock(), self.lifetime)


def mint_user_token(  # noqa: PLR0913  (each is one claim)
    *,
    secret: str,
    issuer: str | None,
    audience: str,
    user_id: str,
    email: str,
    lifetime: timedelta,
    user_claim: str = "sub",
    email_claim: str = "email",
    email_verified_claim: str = "email_verified",
) -> str:
    """Make a token as an identity provider would, to try the API with."""
    claims = {user_claim: user_id, "aud": audience, email_claim: email, email_verified_claim: True}
    named = claims | ({"iss": issuer} if issuer else {})
    return _signed(named, checked_secret(secret), datetime.now(UTC), lifetime)


def checked_secret(secret: str) -> str:
    """Return a secret that is long enough. Raises ValueError."""
    if len(secret.encode()) < _SHORTEST_SECRET:
        raise ValueError(
            f"The token secret has {len(secret.encode())} bytes, and at least {_SHORTEST_SECRET} are needed. Make one "
            "with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return secret


def _signed(claims: Mapping[str, Any], secret: str, now: datetime, lifetime: timedelta) -> str:
    times = {"iat": int(now.timestamp()), "exp": int((now + lifetime).timestamp()), "jti": uuid.uuid4().hex}
    return jwt.encode({**claims, **times}, secret, algorithm=ALGORITHM)
