"""Bearer tokens (JWT) of callers: what one must be, whoever holds its key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.exceptions import PyJWTError

from memberships_export.adapters.identity.service_tokens import ALGORITHM, checked_secret
from memberships_export.service.user.callers import Caller, InvalidToken, KeysUnavailable, TokenVerifier

_LEEWAY_SECONDS = 30
_LONGEST_TOKEN = 8192
_LONGEST_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must be.

    `algorithms` is constant, and never of both kinds for one key: a token cannot choose how it is checked (RFC 8725
    3.1). Without `issuer` any issuer will do.
    """

    algorithms: Sequence[str]
    audience: str
    issuer: str | None

    def header(self, token: str) -> Mapping[str, Any]:
        """Read the header, which nobody has verified yet. Raises InvalidToken."""
        if not token.isascii() or len(token) > _LONGEST_TOKEN:
            raise InvalidToken(f"The token is not a JWT of at most {_LONGEST_TOKEN} ASCII characters.")
        try:
            header = jwt.get_unverified_header(token)
        except (PyJWTError, ValueError, RecursionError) as error:
            raise InvalidToken("The token is not a well-formed JWT.") from error
        if header.get("alg") not in self.algorithms:
            raise InvalidToken(f"The token is not signed with {' or '.join(self.algorithms)}.")
        return header

    def caller(self, token: str, key: "str | jwt.PyJWK") -> Caller:
        """Verify signature and claims. Raises InvalidToken."""
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
        except (PyJWTError, ValueError, RecursionError) as error:
            raise InvalidToken(f"The token is refused: {error}.") from error
        return _caller(claims)


class SharedSecretVerifier:
    """Accepts HS256 tokens made with the secret it is given."""

    def __init__(self, secret: str, audience: str, issuer: str | None = None) -> None:
        """Without `issuer` any issuer will do. ValueError when the secret is too short."""
        self._secret = checked_secret(secret)
        self._rules = TokenRules((ALGORITHM,), audience, issuer)

    def verify(self, token: str) -> Caller:
        """Check a bearer token. Raises InvalidToken."""
        self._rules.header(token)
        return self._rules.caller(token, self._secret)


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
