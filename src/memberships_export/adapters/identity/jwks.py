"""Tokens signed with a key of the identity provider's key set (JWKS), and what the operator is told about that set."""

import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from traceback import extract_tb
from typing import Protocol

from memberships_export.adapters.identity.checked_tokens import CheckedTokens
from memberships_export.adapters.identity.claims import ExpectedClaims
from memberships_export.adapters.identity.endpoint import Unanswered
from memberships_export.adapters.identity.jwk_set import ALGORITHMS, KeyName, KeySet, NotAKeySet, read_key_set
from memberships_export.adapters.identity.jwt import TokenRules
from memberships_export.adapters.identity.remote_keys import Keys, RemoteKeys
from memberships_export.adapters.identity.telling import KEY_SET_UNREAD, Telling
from memberships_export.service.user.callers import Caller, InvalidToken

log = logging.getLogger(__name__)


class JwksVerifier:
    """Accepts RS256 and ES256 tokens made with a key of one configured key set."""

    def __init__(self, keys: RemoteKeys, expected: ExpectedClaims) -> None:
        self._keys = keys
        self._rules = TokenRules(ALGORITHMS, expected)
        self._known: tuple[Keys, CheckedTokens] = ({}, CheckedTokens())

    def verify(self, token: str) -> Caller:
        """Check a bearer token. Raises InvalidToken, or KeysUnavailable when its key cannot be had at the moment.

        The key is looked for in the configured set; what the token says of jku, jwk or x5u is never looked at.
        """
        return self.at_once(token) or self._rules.checked(token, self._keys.key(self._key_name(token))).caller

    def at_once(self, token: str, *, to_mail_to: bool = False) -> Caller | None:  # noqa: ARG002  (it says all there is)
        """Check a bearer token as far as its key is at hand. Raises InvalidToken."""
        keys = self._keys.at_hand()
        known = self._known_by(keys)
        if checked := known.find(token):
            return checked.caller
        key = keys.get(self._key_name(token))
        return known.keep(token, self._rules.checked(token, key)) if key else None

    def _known_by(self, keys: Keys) -> CheckedTokens:
        """Return what was checked by these keys. When they are read anew, all is checked anew: one may be withdrawn."""
        by, known = self._known
        if by is not keys:
            known = CheckedTokens()
            self._known = (keys, known)
        return known

    def _key_name(self, token: str) -> KeyName:
        header = self._rules.header(token)  # before any call over the network
        key_id = header.get("kid")
        if not isinstance(key_id, str):
            raise InvalidToken("The token does not name its key (kid).")
        return header["alg"], key_id


class Body(Protocol):
    """Where the bytes of the key set come from."""

    where: str

    def read(self) -> bytes:
        """Return the JSON of the key set as received. Raises Unanswered."""
        ...


class KeySetReader:
    """Reads the key set, and logs what the operator has to know. For one thread at a time."""

    def __init__(self, body: Body, clock: Callable[[], float] = time.monotonic) -> None:
        self._body = body
        self.where = body.where
        self._telling = Telling(f"The key set at {body.where}", KEY_SET_UNREAD, clock)
        self._told_of: tuple[str, ...] = ()

    def read(self) -> Keys | None:
        """Read the usable keys; None when there are none, for whatever reason."""
        try:
            return self._usable_keys()
        except Unanswered as error:
            self._telling.tell(error)
            return None

    def _usable_keys(self) -> Keys:
        try:
            found = read_key_set(self._body.read())
        except NotAKeySet as error:
            raise Unanswered(str(error), HTTPStatus.OK, lasting=True) from error
        except Unanswered:
            raise
        except Exception as error:  # a bug must not end in keys that are never read again
            raise Unanswered(f"could not be read for a bug: {_place(error)}") from error
        self._tell_skipped(found)
        if not found.keys:
            raise Unanswered("holds no key that can be used", HTTPStatus.OK, lasting=True)
        return found.keys

    def _tell_skipped(self, found: KeySet) -> None:
        """Log each strange key once, and not with each read of the set."""
        for line in found.skipped:
            if line not in self._told_of:
                log.warning("where=%s event=key_skipped reason=%s", self.where, line)
        self._told_of = found.skipped


def _place(error: Exception) -> str:
    """Name a bug without its text, which may quote what was read."""
    return f"{type(error).__name__} at " + " ".join(
        f"{place.filename}:{place.lineno}" for place in extract_tb(error.__traceback__)
    )
