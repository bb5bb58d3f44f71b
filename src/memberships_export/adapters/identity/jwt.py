"""Bearer tokens (JWT): checking those of callers, and making the ones this service sends."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from jwt.exceptions import PyJWKClientError, PyJWTError

from memberships_export.adapters.http.outgoing_url import checked_url
from memberships_export.ports import Clock
from memberships_export.service.user.callers import Caller, InvalidToken, KeysUnavailable, TokenVerifier

SERVICE_SCOPE = "memberships:read"

# Constant, and never both kinds for one key: a token cannot choose how it is checked (RFC 8725 3.1).
_SYMMETRIC = ("HS256",)
_ASYMMETRIC = ("RS256", "ES256")
_LEEWAY_SECONDS = 30
_LONGEST_TOKEN = 8192
_LONGEST_SUBJECT = 255
_SHORTEST_SECRET = 32  # RFC 7518 3.2: as long as the hash


class SharedSecretVerifier:
    """Accepts HS256 tokens made with the secret it is given."""

    def __init__(self, secret: str, audience: str, issuer: str | None = None) -> None:
        """Without `issuer` any issuer will do. ValueError when the secret is too short."""
        self._secret = _checked_secret(secret)
        self._rules = _Rules(_SYMMETRIC, audience, issuer)

    def verify(self, token: str) -> Caller:
        """Check a bearer token. Raises InvalidToken."""
        self._rules.header(token)
        return self._rules.caller(token, self._secret)


class JwksVerifier:
    """Accepts RS256 and ES256 tokens made with a key of one configured key set."""

    def __init__(
        self, jwks_url: str, audience: str, issuer: str | None = None, *, cooldown_seconds: float = 30
    ) -> None:
        """Without `issuer` any issuer will do; an unknown key id makes it read the set again once per cooldown."""
        url = checked_url("MEMBERSHIPS_EXPORT_JWKS_URL", jwks_url, query_allowed=True)
        self._where = f"{url.netloc}{url.path}"
        self._keys = jwt.PyJWKClient(jwks_url, timeout=3, lifespan=300, cooldown_duration=cooldown_seconds)
        self._rules = _Rules(_ASYMMETRIC, audience, issuer)

    def verify(self, token: str) -> Caller:
        """Check a bearer token. Raises InvalidToken, or KeysUnavailable when the key set cannot be read."""
        header = self._rules.header(token)  # before any call over the network
        return self._rules.caller(token, self._key(header.get("kid")))

    def _key(self, key_id: object) -> jwt.PyJWK:
        """Find the key in the configured set; what the token says of jku, jwk or x5u is never looked at."""
        if not isinstance(key_id, str):
            raise InvalidToken("The token does not name its key (kid).")
        try:
            return self._keys.get_signing_key(key_id)
        except (PyJWTError, OSError, ValueError) as error:
            if type(error) is PyJWKClientError and self._set_was_read():
                raise InvalidToken("The token names a key (kid) that is not in the configured key set.") from error
            raise KeysUnavailable(f"The keys at {self._where} cannot be read at the moment.") from error

    def _set_was_read(self) -> bool:
        """Tell an unknown key from an answer that was no key set: the library raises the same for both."""
        cache = self._keys.jwk_set_cache
        return cache is not None and cache.get() is not None


class AnyOf:
    """Accepts what at least one of its verifiers accepts."""

    def __init__(self, verifiers: Sequence[TokenVerifier]) -> None:
        """Put verifiers that need no network first."""
        self._verifiers = tuple(verifiers)

    def verify(self, token: str) -> Caller:
        """Ask one after the other. Raises KeysUnavailable when the only one that might accept it cannot tell."""
        reasons: list[str] = []
        unavailable: KeysUnavailable | None = None
        for verifier in self._verifiers:
            try:
                return verifier.verify(token)
            except InvalidToken as error:
                reasons.append(error.reason)
            except KeysUnavailable as error:
                unavailable = error
        raise unavailable or InvalidToken(" ".join(dict.fromkeys(reasons)))


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
        _checked_secret(self.secret)

    def __call__(self, user_id: str) -> str:
        """Make a token for one user."""
        claims = {"sub": user_id, "iss": self.issuer, "aud": self.audience, "scope": SERVICE_SCOPE}
        return _signed(claims, self.secret, self.clock(), self.lifetime)


def mint_user_token(  # noqa: PLR0913  (each is one claim)
    *, secret: str, issuer: str | None, audience: str, user_id: str, email: str, lifetime: timedelta
) -> str:
    """Make a token as an identity provider would, to try the API with."""
    claims = {"sub": user_id, "aud": audience, "email": email, "email_verified": True}
    named = claims | ({"iss": issuer} if issuer else {})
    return _signed(named, _checked_secret(secret), datetime.now(UTC), lifetime)


def _signed(claims: Mapping[str, Any], secret: str, now: datetime, lifetime: timedelta) -> str:
    times = {"iat": int(now.timestamp()), "exp": int((now + lifetime).timestamp()), "jti": uuid.uuid4().hex}
    return jwt.encode({**claims, **times}, secret, algorithm=_SYMMETRIC[0])


def _checked_secret(secret: str) -> str:
    if len(secret.encode()) < _SHORTEST_SECRET:
        raise ValueError(
            f"The token secret has {len(secret.encode())} bytes, and at least {_SHORTEST_SECRET} are needed. Make one "
            "with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return secret


@dataclass(frozen=True, slots=True)
class _Rules:
    """What a token must be, whoever holds its key."""

    algorithms: Sequence[str]
    audience: str
    issuer: str | None

    def header(self, token: str) -> Mapping[str, Any]:
        """Read the header, which nobody has verified yet."""
        if not token.isascii() or len(token) > _LONGEST_TOKEN:
            raise InvalidToken(f"The token is not a JWT of at most {_LONGEST_TOKEN} ASCII characters.")
        try:
            header = jwt.get_unverified_header(token)
        except (PyJWTError, ValueError) as error:
            raise InvalidToken("The token is not a well-formed JWT.") from error
        if header.get("alg") not in self.algorithms:
            raise InvalidToken(f"The token is not signed with {' or '.join(self.algorithms)}.")
        return header

    def caller(self, token: str, key: str | jwt.PyJWK) -> Caller:
        """Verify signature and claims."""
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=self.algorithms,
                audience=self.audience,
                issuer=self.issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "sub", "aud"], "enforce_minimum_key_length": True},
            )
        except (PyJWTError, ValueError) as error:
            raise InvalidToken(f"The token is refused: {error}.") from error
        return _caller(claims)


def _caller(claims: Mapping[str, Any]) -> Caller:
    user_id, email, scope = claims["sub"], claims.get("email"), claims.get("scope", "")
    if not 0 < len(user_id) <= _LONGEST_SUBJECT or not user_id.isprintable():
        raise InvalidToken(f"The token's sub is not a user id of 1 to {_LONGEST_SUBJECT} printable characters.")
    if not isinstance(email, str | None) or not isinstance(scope, str):
        raise InvalidToken("The token's email or scope is not text.")
    return Caller(user_id, email, _truth(claims.get("email_verified")), scope)


def _truth(claim: object) -> bool | None:
    """Read a claim that some providers send as text; whatever is neither true nor "true" is not."""
    return None if claim is None else claim in (True, "true")
