"""The address of a user whose token does not prove one: the provider's userinfo endpoint tells it (OIDC Core 5.3).

Along with it come the language and the zone that the user likes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from memberships_export.adapters.identity.bearer import checked_bearer
from memberships_export.adapters.identity.claims import ExpectedClaims, likings, subject
from memberships_export.adapters.identity.endpoint import Ask, Endpoint, Unanswered
from memberships_export.adapters.identity.kept_answers import Answered, KeptAnswers
from memberships_export.adapters.identity.telling import PROVIDER_UNANSWERED, Telling
from memberships_export.service.user.callers import (
    Caller,
    IdentityUnavailable,
    InvalidToken,
    PromptVerifier,
    TokenVerifier,
)


@dataclass(frozen=True, slots=True)
class _User:
    email: str | None
    verified: bool = False
    locale: str | None = None
    time_zone: str | None = None


class WithUserinfo:
    """Verifies tokens as another verifier does, and asks for the address when one is needed and not proven."""

    def __init__(
        self,
        tokens: TokenVerifier,
        endpoint: Endpoint,
        expected: ExpectedClaims,
        answers: KeptAnswers[_User] | None = None,
    ) -> None:
        """Take the claims of the address from `expected`: they have the same names as in tokens."""
        self._prompt = tokens if isinstance(tokens, PromptVerifier) else None
        self._tokens, self._endpoint, self._expected = tokens, endpoint, expected
        self._answers = answers or KeptAnswers[_User]()
        self._telling = Telling(f"The userinfo endpoint at {endpoint.where}", PROVIDER_UNANSWERED)

    def verify(self, token: str) -> Caller:
        """Check a bearer token, and ask nobody for an address. Raises what the other verifier raises."""
        return self._tokens.verify(token)

    def verify_with_address(self, token: str) -> Caller:
        """Check a bearer token whose user is to be mailed to. Raises InvalidToken, IdentityUnavailable."""
        caller = self._tokens.verify(token)
        if _is_proven(caller):
            return caller
        checked_bearer(token)
        return _addressed(caller, self._answers.about(token, lambda: self._ask(token, caller.subject)))

    def at_once(self, token: str, *, to_mail_to: bool = False) -> Caller | None:
        """Check a bearer token as far as nobody has to be asked. Raises InvalidToken."""
        caller = self._prompt.at_once(token) if self._prompt else None
        if caller is None or not to_mail_to or _is_proven(caller):
            return caller
        found = self._answers.at_hand(checked_bearer(token))
        return _addressed(caller, found) if found else None

    def _ask(self, token: str, whose: str | None) -> Answered[_User]:
        try:
            claims = self._endpoint.read(Ask(headers={"Authorization": f"Bearer {token}"})).json_object()
            return Answered(self._user(claims, whose), float("inf"))
        except Unanswered as error:
            self._telling.tell(_said_of_a_token(error))
            if error.status == HTTPStatus.UNAUTHORIZED:
                raise InvalidToken("The identity provider does not accept the token: get a new one.") from error
            if error.status == HTTPStatus.FORBIDDEN:  # the token may not read it: it lacks a scope
                return Answered(_User(None), 0)
            raise IdentityUnavailable("The userinfo endpoint gives no answer that can be used.") from error

    def _user(self, claims: Mapping[str, Any], whose: str | None) -> _User:
        """Read the user. An answer about another user than the token's is none (OIDC Core 5.3.2)."""
        if whose is not None and subject(claims) != whose:
            raise Unanswered("answers about another user (sub) than the token's", HTTPStatus.OK, lasting=True)
        try:
            return _User(*self._expected.address(claims), *likings(claims))
        except InvalidToken as error:
            raise Unanswered("answers with an email that is not text", HTTPStatus.OK, lasting=True) from error


def _is_proven(caller: Caller) -> bool:
    return bool(caller.email and caller.email_verified)


def _addressed(caller: Caller, found: _User) -> Caller:
    return replace(
        caller,
        email=found.email,
        email_verified=found.verified,
        locale=caller.locale or found.locale,
        time_zone=caller.time_zone or found.time_zone,
    )


def _said_of_a_token(error: Unanswered) -> Unanswered:
    """Take a refusal for one of this token, which its user mends by another one, not for one of us."""
    of_token = error.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    cause = f"{error.cause}: it does not accept a token that is good here, or the token lacks the scope email"
    return Unanswered(cause, error.status) if of_token else error
