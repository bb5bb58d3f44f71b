"""Bearer tokens (JWT) of callers: what one must be, whoever holds its key."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt
from jwt.exceptions import InvalidSignatureError, PyJWTError

from memberships_export.adapters.identity.checked_tokens import MOST, Checked, CheckedTokens
from memberships_export.adapters.identity.claims import ExpectedClaims
from memberships_export.adapters.identity.plain_tokens import plain_claims
from memberships_export.adapters.identity.service_tokens import ALGORITHM, checked_secret
from memberships_export.service.user.callers import Caller, IdentityUnavailable, InvalidToken, TokenVerifier

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

# RFC 8725 3.11: a token of another kind by the same provider, such as a logout token, is none for us.
_TYPES = frozenset({"jwt", "at+jwt"})


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must be.

    `algorithms` is constant, and never of both kinds for one key: a token cannot choose how it is checked (RFC 8725
    3.1).
    """

    algorithms: Sequence[str]
    expected: ExpectedClaims
    longest: int = 8192  # characters

    def header(self, token: str) -> Mapping[str, Any]:
        """Read the header, which nobody has verified yet. Raises InvalidToken."""
        if not token.isascii() or len(token) > self.longest:
            raise InvalidToken(f"The token is not a JWT of at most {self.longest} ASCII characters.")
        try:
            header = jwt.get_unverified_header(token)
        except (PyJWTError, ValueError, RecursionError) as error:
            raise InvalidToken("The token is not a well-formed JWT.") from error
        if header.get("alg") not in self.algorithms:
            raise InvalidToken(f"The token is not signed with {' or '.join(self.algorithms)}.")
        if not _is_of_our_type(header):
            raise InvalidToken("The token is of another type (typ) than JWT or at+jwt.")
        if "crit" in header:  # RFC 7515 4.1.11: it must be refused by whom does not know what it names
            raise InvalidToken("The token has a critical header (crit), and none is known here.")
        return header

    def checked(self, token: str, key: "str | jwt.PyJWK") -> Checked:
        """Verify signature and claims. Raises InvalidToken."""
        return self.read(self.claims(token, key))

    def read(self, claims: Mapping[str, Any]) -> Checked:
        """Check the claims of a good signature. Raises InvalidToken."""
        now = time.time()
        return Checked(self.expected.caller(claims, now), now, claims["exp"])

    def claims(self, token: str, key: "str | jwt.PyJWK | EllipticCurvePublicKey") -> Mapping[str, Any]:
        """Verify the signature, and nothing else. Raises InvalidToken."""
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=self.algorithms,
                options={
                    "enforce_minimum_key_length": True,
                    "verify_aud": False,  # these are checked below: PyJWT refuses tokens also for claims nobody needs
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_iss": False,
                    "verify_jti": False,
                    "verify_nbf": False,
                    "verify_sub": False,
                },
            )
        except InvalidSignatureError as error:
            raise InvalidToken("The token's signature is not good.") from error
        except (PyJWTError, ValueError, RecursionError) as error:
            raise InvalidToken("The token cannot be checked: its key does not fit, or it holds no claims.") from error
        return claims


def _is_of_our_type(header: Mapping[str, Any]) -> bool:
    kind = header.get("typ", "JWT")
    return isinstance(kind, str) and kind.lower().removeprefix("application/") in _TYPES


class SharedSecretVerifier:
    """Accepts HS256 tokens made with the secret it is given."""

    def __init__(self, secret: str, expected: ExpectedClaims, most: int = MOST) -> None:
        """Raise ValueError when the secret is too short. `most`: how many tokens are known after they were checked."""
        self._secret = checked_secret(secret)
        self._signing = secret.encode()
        self._rules = TokenRules((ALGORITHM,), expected)
        self._known = CheckedTokens(most, clock=time.time)

    def verify(self, token: str) -> Caller:
        """Check a bearer token. Raises InvalidToken."""
        if known := self._known.find(token):
            return known.caller
        return self._known.keep(token, self._checked(token))

    def at_once(self, token: str, *, to_mail_to: bool = False) -> Caller:  # noqa: ARG002  (a token says all there is)
        """Check a bearer token: nobody is asked."""
        return self.verify(token)

    def _checked(self, token: str) -> Checked:
        claims = plain_claims(token, self._signing, self._rules.longest)
        if claims is not None:
            return self._rules.read(claims)
        self._rules.header(token)
        return self._rules.checked(token, self._secret)


class AnyOf:
    """Accepts what at least one of its verifiers accepts."""

    def __init__(self, verifiers: Sequence[TokenVerifier]) -> None:
        """Put verifiers that need no network first."""
        self._verifiers = tuple(verifiers)

    def verify(self, token: str) -> Caller:
        """Ask one after the other. Raises IdentityUnavailable when the only one that might accept it cannot tell."""
        reasons: list[str] = []
        unavailable: IdentityUnavailable | None = None
        for verifier in self._verifiers:
            try:
                return verifier.verify(token)
            except InvalidToken as error:
                reasons.append(error.reason)
            except IdentityUnavailable as error:
                unavailable = error
        raise unavailable or InvalidToken(" ".join(dict.fromkeys(reasons)))
