"""What proves to a memberships API who is asking: made anew for each call, as the profile says."""

import base64
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlencode

from memberships_export.adapters.http.outgoing_url import checked_url
from memberships_export.adapters.source.headers import value_can_be
from memberships_export.adapters.source.profile_secrets import ProfileSecrets
from memberships_export.adapters.source.wording import refusal
from memberships_export.domain.source.profile import (
    ApiKey,
    Auth,
    Bearer,
    HttpBasic,
    KnownProfile,
    OAuth2ClientCredentials,
    ServiceJwt,
)
from memberships_export.domain.source.profile_file.secrets import is_reference
from memberships_export.ports import Clock

if TYPE_CHECKING:
    from memberships_export.adapters.source.oauth2 import KeptToken

_KEY_IN_URL = (
    "auth.location: the profile puts the key into the query, where the logs of others keep it. Put it into a header, "
    "or say allow_key_in_url = true."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What goes along with one call. Never shown."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: str = field(default="", repr=False)  # encoded, without & and ?
    made_of: tuple[str, ...] = field(default=(), repr=False)  # the secrets in it


class Authorizer(Protocol):
    """Makes credentials. `until`, of the clock time.monotonic, is how long that may take."""

    def credential(self, user_id: str, until: float) -> Credential:
        """Make one for a call about this user."""
        ...

    def renewed(self, refused: Credential, until: float) -> Credential | None:
        """Make another after a 401; None when it would be the same."""
        ...


class Authorizers:
    """The authorizers of all profiles. Safe to share between threads."""

    def __init__(
        self,
        service_token: Callable[[str], str],
        secrets: ProfileSecrets,
        clock: Clock,
        plain_http: Container[str] = (),
    ) -> None:
        """`service_token` makes a token of our own for one user id; `plain_http`: see outgoing_url."""
        self._service_token, self._secrets, self._clock = service_token, secrets, clock
        self._plain_http = plain_http
        self._lock = Lock()
        self._tokens: dict[str, _Token] = {}

    def of(self, profile: KnownProfile) -> Authorizer:
        """Return that of this profile, in this version of it: a token is never shown for another."""
        match profile.profile.auth:
            case ServiceJwt():
                return _Service(self._service_token)
            case OAuth2ClientCredentials() as auth:
                with self._lock:
                    if profile.fingerprint not in self._tokens:
                        self._tokens[profile.fingerprint] = self._token(auth)
                    return self._tokens[profile.fingerprint]
            case auth:
                return _Secret(auth, self._secrets)

    def _token(self, auth: OAuth2ClientCredentials) -> "_Token":
        # Here, so that a function without such a profile starts sooner.
        from memberships_export.adapters.source.oauth2 import KeptToken  # noqa: PLC0415
        from memberships_export.adapters.source.token_endpoint import TokenEndpoint  # noqa: PLC0415

        return _Token(KeptToken(TokenEndpoint(auth, self._secrets, self._clock, self._plain_http).fetch))


class _Service:
    def __init__(self, token: Callable[[str], str]) -> None:
        self._token = token

    def credential(self, user_id: str, until: float) -> Credential:  # noqa: ARG002  (it takes no time)
        return Credential(headers=_bearer(self._token(user_id)))

    def renewed(self, refused: Credential, until: float) -> None:
        """Make none: it was new."""


class _Token:
    def __init__(self, kept: "KeptToken") -> None:
        self._kept = kept

    def credential(self, user_id: str, until: float) -> Credential:  # noqa: ARG002  (it is the same for all users)
        token = self._kept.get(until)
        return Credential(headers=_bearer(token), made_of=(token,))

    def renewed(self, refused: Credential, until: float) -> Credential:
        self._kept.drop(*refused.made_of)
        return self.credential("", until)


class _Secret:
    def __init__(self, auth: Bearer | HttpBasic | ApiKey, secrets: ProfileSecrets) -> None:
        self._auth, self._secrets = auth, secrets

    def credential(self, user_id: str, until: float) -> Credential:  # noqa: ARG002
        return _made(self._auth, tuple(self._secrets(text) for text in _texts(self._auth)))

    def renewed(self, refused: Credential, until: float) -> Credential | None:  # noqa: ARG002
        """Read what may have been rotated a moment ago."""
        texts = _texts(self._auth)
        now = tuple(self._secrets.anew(text, old) for text, old in zip(texts, refused.made_of, strict=True))
        return _made(self._auth, now) if now != refused.made_of else None


def _texts(auth: Bearer | HttpBasic | ApiKey) -> tuple[str, ...]:
    match auth:
        case Bearer(token=token):
            return (token,)
        case HttpBasic(username=name, password=password):
            return name, password
        case ApiKey(api_key=key):
            return (key,)


def _made(auth: Bearer | HttpBasic | ApiKey, values: tuple[str, ...]) -> Credential:
    match auth:
        case Bearer(token=token):
            return Credential(headers=_fitting(token, _bearer(*values)), made_of=values)
        case HttpBasic():
            return Credential(headers=_basic(*values), made_of=values)
        case ApiKey(location="query"):
            if not auth.allow_key_in_url:
                raise refusal("secrets", "none", _KEY_IN_URL)
            return Credential(query=urlencode({auth.name: auth.prefix + values[0]}), made_of=values)
        case ApiKey(api_key=key):
            return Credential(headers=_fitting(key, {auth.name: auth.prefix + values[0]}), made_of=values)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _basic(name: str, password: str) -> dict[str, str]:
    """Make the header of RFC 7617, in UTF-8."""
    if ":" in name:  # 2: the server would take what follows for the password
        reason = "The username that the profile gives for http_basic holds a colon, which no such name may."
        raise refusal("secrets", "none", reason)
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"}


def _fitting(reference: str, headers: dict[str, str]) -> dict[str, str]:
    if not all(value_can_be(value) for value in headers.values()):
        reason = f"A secret that the profile names cannot be used. {reference} holds characters that no header carries."
        raise refusal("secrets", "none", reason)
    return headers


def auth_problems(auth: Auth, plain_http: Container[str] = ()) -> Iterator[str]:
    """Say what of a table that can be read would still never work.

    `plain_http`: see outgoing_url.
    """
    match auth:
        case HttpBasic(username=name) if ":" in name and not is_reference(name):
            yield "auth.username: a name with a colon cannot be sent (RFC 7617)."
        case OAuth2ClientCredentials(access_token_url=url):
            try:
                checked_url("auth.access_token_url", url, query_allowed=True, plain_http=plain_http)
            except ValueError as error:
                yield str(error)
