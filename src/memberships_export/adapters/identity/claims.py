"""What a verified token says about its caller. What the export does not need refuses no token, whatever it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from memberships_export.domain.ids import LONGEST_ID, is_id
from memberships_export.service.user.callers import Caller, InvalidToken

_LEEWAY = 30  # seconds that clocks may differ by
_SUBJECT = "sub"
_LONGEST_LIKING = 100  # characters; no language and no zone has so long a name
_LAST_SECOND = 253_402_300_799  # of the year 9999: what is later is milliseconds, or nonsense


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedClaims:
    """Which claims name the caller, and what the others must be. Without `issuer` any issuer will do."""

    audiences: frozenset[str]  # one of them is enough
    issuer: str | None = None
    user_id: str = _SUBJECT
    email: str = "email"
    email_verified: str = "email_verified"

    def caller(self, claims: Mapping[str, Any], now: float) -> Caller:
        """Read the caller of a token; `now` is in seconds since 1970. Raises InvalidToken."""
        if claims.get("exp") is None:
            raise InvalidToken("The token does not say when it expires (exp).")
        self._check(claims, _audiences(claims), now)
        return self._named(claims, self.user_id)

    def introspected(self, answer: Mapping[str, Any], now: float) -> tuple[Caller, float | None]:
        """Read the caller of an answer about a token, and until when it is good, if the answer says so.

        The provider has judged the token for us (RFC 7662 4), so expiry and audience may be missing, and a user without
        `sub` may have a `username`. The address must be verified. Raises InvalidToken.
        """
        self._check(answer, None if answer.get("aud") is None else _audiences(answer), now)
        by_name = self.user_id == _SUBJECT and answer.get(_SUBJECT) is None and answer.get("username") is not None
        caller = self._named(answer, "username" if by_name else self.user_id)
        return only_verified(caller), _time(answer, "exp")

    def address(self, claims: Mapping[str, Any]) -> tuple[str | None, bool]:
        """Read the address of a user, and whether it is verified for sure. Raises InvalidToken."""
        return _email(claims, self.email), _truth(named(claims, self.email_verified)) is True

    def _check(self, claims: Mapping[str, Any], audiences: Sequence[str] | None, now: float) -> None:
        """Check what is independent of the user. With None as audiences any will do."""
        _check_times(claims, now)
        if self.issuer is not None and claims.get("iss") != self.issuer:
            raise InvalidToken("The token is not of the issuer (iss) that is expected here.")
        if audiences is not None and not self.audiences.intersection(audiences):
            raise InvalidToken("The token is not for the audience (aud) that is expected here.")

    def _named(self, claims: Mapping[str, Any], user_id: str) -> Caller:
        return Caller(
            _user_id(claims, user_id),
            _email(claims, self.email),
            _truth(named(claims, self.email_verified)),
            _words(claims.get("scope")),
            subject(claims),
            *likings(claims),
        )


def only_verified(caller: Caller) -> Caller:
    """Take an address for unverified of which nothing says that it is verified."""
    return replace(caller, email_verified=caller.email_verified is True)


def subject(claims: Mapping[str, Any]) -> str | None:
    """Return the `sub`, which tells whether two answers of one provider are about the same user."""
    value = claims.get(_SUBJECT)
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else None


def likings(claims: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return language and time zone that the user likes (OIDC Core 5.1); None for what is no text, or no name."""
    locale, zone = (claims.get(name) for name in ("locale", "zoneinfo"))
    return _name(locale), _name(zone)


def named(claims: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401  (whatever JSON holds)
    """Find a claim, None when it is not there: the one of exactly this name, else one within others, as `user.id`.

    Names may hold dots themselves, such as `https://example.org/user.id`: the longest name that is there is entered.
    """
    if name in claims:
        return claims[name]
    outer, dot, last = name.rpartition(".")
    while dot:
        within = claims.get(outer)
        if isinstance(within, Mapping):
            return named(within, last)
        outer, dot, more = outer.rpartition(".")
        last = f"{more}.{last}"
    return None


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    expires = _time(claims, "exp")
    if expires is not None and expires <= now - _LEEWAY:
        raise InvalidToken("The token has expired: get a new one.")
    for name in ("nbf", "iat"):
        if (_time(claims, name) or 0) > now + _LEEWAY:
            raise InvalidToken(f"The token is not yet valid ({name}).")


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    """Read seconds since 1970 (RFC 7519 2, NumericDate)."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LAST_SECOND:
        raise InvalidToken(f"The token's {name} is not a time in seconds since 1970.")
    return value


def _audiences(claims: Mapping[str, Any]) -> list[str]:
    """Return whom the token is for. Amazon Cognito's access tokens have no `aud`, and the same in `client_id`."""
    audience = claims.get("aud")
    named = claims.get("client_id") if audience is None else audience
    return [one for one in (named if isinstance(named, list) else [named]) if isinstance(one, str)]


def _user_id(claims: Mapping[str, Any], name: str) -> str:
    value = named(claims, name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not is_id(value):
        raise InvalidToken(f"The token's {name} is not a user id of 1 to {LONGEST_ID} printable characters.")
    return value


def _email(claims: Mapping[str, Any], name: str) -> str | None:
    value = named(claims, name)
    if not isinstance(value, str | None):
        raise InvalidToken(f"The token's {name} is not an email address.")
    return value


def _truth(claim: object) -> bool | None:
    """Read a claim that some providers send as text; whatever is neither true nor "true" is not."""
    if isinstance(claim, str):
        return claim.lower() == "true"
    return None if claim is None else claim is True


def _name(claim: object) -> str | None:
    return claim if isinstance(claim, str) and 0 < len(claim) <= _LONGEST_LIKING else None


def _words(claim: object) -> str:
    """Read a scope: text (RFC 8693 4.2), or a list of words."""
    words = claim if isinstance(claim, list) else [claim]
    return " ".join(word for word in words if isinstance(word, str))
