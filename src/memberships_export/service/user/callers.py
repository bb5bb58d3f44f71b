"""Who is calling, as far as their bearer token proves it."""

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from memberships_export.domain.errors import InvalidUserId
from memberships_export.domain.ids import LONGEST_ID, is_id


@dataclass(frozen=True, slots=True)
class Caller:
    """The user a verified token speaks for. `email_verified` is None when the token says nothing about it.

    `subject` is the token's `sub`, which may be another name of the same user: of no importance beyond the provider.
    `locale` and `time_zone` are what the token says the user likes, in whatever words: nothing depends on their sense.
    """

    user_id: str
    email: str | None = None
    email_verified: bool | None = None
    scope: str = ""  # as in the token: words separated by spaces
    subject: str | None = field(default=None, compare=False)
    locale: str | None = None
    time_zone: str | None = None


class AuthenticationError(Exception):
    """Nobody can be let in on this token."""

    def __init__(self, reason: str) -> None:
        """`reason` is fit for the caller: it holds nothing of the token."""
        self.reason = reason
        super().__init__(reason)


class InvalidToken(AuthenticationError):
    """The token proves nothing: the caller must get another one."""


class IdentityUnavailable(AuthenticationError):
    """Who would have to be asked about the token does not answer at the moment: the caller should come back later."""


class KeysUnavailable(IdentityUnavailable):
    """The keys to check tokens with cannot be had at the moment."""


@runtime_checkable
class TokenVerifier(Protocol):
    """Checks bearer tokens, and reads from them who is calling."""

    def verify(self, token: str) -> Caller:
        """Check a bearer token. Raises InvalidToken, or IdentityUnavailable when nobody can tell."""
        ...


@runtime_checkable
class AddressingVerifier(TokenVerifier, Protocol):
    """A verifier that can ask where to mail to, when a token does not say it."""

    def verify_with_address(self, token: str) -> Caller:
        """Check a bearer token whose user is to be mailed to. Raises as `verify` does."""
        ...


@runtime_checkable
class PromptVerifier(TokenVerifier, Protocol):
    """A verifier that can mostly tell at once, without waiting for anybody."""

    def at_once(self, token: str, *, to_mail_to: bool = False) -> Caller | None:
        """Check a bearer token as `verify` does; with `to_mail_to` as `verify_with_address` does, where that is there.

        None when somebody would have to be asked. Raises InvalidToken.
        """
        ...


def checked_user_id(user_id: str) -> str:
    """Return a user id that every queue takes. Raises InvalidUserId: a worker would make a dead letter of another."""
    if not is_id(user_id):
        raise InvalidUserId(f"The user id is not one of 1 to {LONGEST_ID} printable characters.")
    return user_id
