"""Tokens that only their provider can read: it is asked about each (RFC 7662)."""

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote_plus, urlencode

from memberships_export.adapters.identity.bearer import checked_bearer
from memberships_export.adapters.identity.claims import ExpectedClaims
from memberships_export.adapters.identity.endpoint import Ask, Endpoint, Unanswered
from memberships_export.adapters.identity.kept_answers import Answered, KeptAnswers
from memberships_export.adapters.identity.telling import PROVIDER_UNANSWERED, Telling
from memberships_export.service.user.callers import Caller, IdentityUnavailable, InvalidToken

_NOT_LET_IN = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_KINDS = frozenset({"bearer", "access_token"})  # of tokens that prove something by being shown


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are to the endpoint."""

    client_id: str
    client_secret: str = field(repr=False)

    def authorization(self) -> str:
        """Return the header; id and secret are encoded as in a form (RFC 6749 2.3.1)."""
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"


class IntrospectedTokens:
    """Accepts the tokens that the endpoint calls active, and keeps what it says for a minute at most."""

    def __init__(
        self,
        endpoint: Endpoint,
        client: Client,
        expected: ExpectedClaims,
        answers: KeptAnswers[Caller] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock`: seconds since 1970."""
        self._endpoint, self._client, self._expected, self._clock = endpoint, client, expected, clock
        self._answers = answers or KeptAnswers[Caller]()
        self._telling = Telling(f"The introspection endpoint at {endpoint.where}", PROVIDER_UNANSWERED)

    def verify(self, token: str) -> Caller:
        """Check a bearer token. Raises InvalidToken, or IdentityUnavailable when the endpoint does not tell."""
        checked_bearer(token)
        return self._answers.about(token, lambda: self._ask(token))

    def at_once(self, token: str, *, to_mail_to: bool = False) -> Caller | None:  # noqa: ARG002  (it is all there is)
        """Return what was answered lately about a token. Raises InvalidToken."""
        return self._answers.at_hand(checked_bearer(token))

    def _ask(self, token: str) -> Answered[Caller]:
        try:
            answer = self._answer(token)
        except Unanswered as error:
            self._telling.tell(error)
            raise IdentityUnavailable("The introspection endpoint gives no answer that can be used.") from error
        now = self._clock()
        _check_kind(answer)
        caller, expires = self._expected.introspected(answer, now)
        return Answered(caller, float("inf") if expires is None else expires - now)

    def _answer(self, token: str) -> Mapping[str, Any]:
        try:
            answer = self._endpoint.read(self._question(token)).json_object()
        except Unanswered as error:
            if error.status in _NOT_LET_IN:
                cause = "does not accept our client id and secret, or lets them ask about no token"
                raise Unanswered(cause, error.status, lasting=True) from error
            raise
        if not isinstance(answer.get("active"), bool):
            raise Unanswered("does not say whether the token is active", HTTPStatus.OK, lasting=True)
        return answer

    def _question(self, token: str) -> Ask:
        form = urlencode({"token": token, "token_type_hint": "access_token"}).encode()
        return Ask(form=form, headers={"Authorization": self._client.authorization()})


def _check_kind(answer: Mapping[str, Any]) -> None:
    if answer["active"] is not True:
        raise InvalidToken("The token is not active: get a new one.")
    kind, use = answer.get("token_type"), answer.get("token_use")
    if (isinstance(kind, str) and kind.lower() not in _KINDS) or use == "refresh_token":
        raise InvalidToken("The token is of another type than Bearer.")
