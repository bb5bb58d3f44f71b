"""The call that gets a token of an authorization server for client id and secret (RFC 6749 4.4)."""

import base64
import time
from collections.abc import Container, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import SplitResult, quote_plus, urlencode, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from memberships_export.adapters.http.bounded import Outgoing, TooLarge, TooLate, read_body, send
from memberships_export.adapters.http.outgoing_url import checked_url
from memberships_export.adapters.http.pool import open_pool
from memberships_export.adapters.http.retry_after import retry_after
from memberships_export.adapters.http.trouble import bad_certificate, trouble
from memberships_export.adapters.source.profile_secrets import ProfileSecrets
from memberships_export.adapters.source.token_answer import Granted, error_code, granted
from memberships_export.adapters.source.wording import REFUSALS, WILL_PASS, refusal
from memberships_export.domain.errors import ExportError, MembershipsContractBroken, MembershipsUnavailable
from memberships_export.domain.source.profile import OAuth2ClientCredentials
from memberships_export.ports import Clock
from memberships_export.version import USER_AGENT

_CONNECT_SECONDS, _READ_SECONDS = 5.0, 15.0  # or less, if the call that needs the token has less left
_BODY_BYTES = 1024 * 1024
_GOOD = frozenset({HTTPStatus.OK, HTTPStatus.CREATED})
# What a person has to mend; 400 is how the standard says it.
_REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, *REFUSALS})


class _Refused(Exception):
    def __init__(self, status: int, code: str | None, seconds: float | None) -> None:
        self.status, self.code, self.seconds = status, code, seconds
        super().__init__(status)


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """Asks for tokens as the profile says."""

    auth: OAuth2ClientCredentials
    secrets: ProfileSecrets
    clock: Clock
    plain_http: Container[str] = ()  # hosts that may be called without TLS

    def fetch(self, until: float) -> Granted:
        """Get a token. `until`: of the clock time.monotonic.

        Raises MembershipsRefused for what a person has to mend, MembershipsUnavailable for what will pass, and
        MembershipsContractBroken for an answer that no standard allows.
        """
        names = (self.auth.client_id, self.auth.client_secret)
        shown = [self.secrets(name) for name in names]
        try:
            return self._ask(shown, until)
        except _Refused as refused:
            rotated = [self.secrets.anew(name, old) for name, old in zip(names, shown, strict=True)]
            if rotated == shown:
                raise self._refusal(refused) from None
        try:
            return self._ask(rotated, until)
        except _Refused as refused:
            raise self._refusal(refused) from None

    def _ask(self, shown: Sequence[str], until: float) -> Granted:
        try:
            given = self.auth.access_token_url
            url = checked_url("access_token_url", given, query_allowed=True, plain_http=self.plain_http)
        except ValueError as error:
            raise MembershipsContractBroken(str(error)) from None
        left = max(0.0, round(until - time.monotonic(), 1))
        try:
            with open_pool(url) as pool:  # closed again: the next fetch is many minutes away
                answer = send(
                    pool,
                    self._request(url, *shown),
                    until=until,
                    connect_seconds=_CONNECT_SECONDS,
                    read_seconds=_READ_SECONDS,
                )
                try:
                    return self._judged(answer, read_body(answer, _BODY_BYTES, until))
                finally:
                    answer.close()
        except HTTPError as error:
            what = trouble(error, min(_CONNECT_SECONDS, left), min(_READ_SECONDS, left))
            if bad_certificate(error):
                raise refusal("token_endpoint", "none", self._told(what)) from error
            raise MembershipsUnavailable(self._told(what)) from error
        except TooLate:
            raise MembershipsUnavailable(self._told("took longer than one call may")) from None
        except TooLarge:
            raise MembershipsContractBroken(self._told(f"sent more than {_BODY_BYTES} bytes")) from None

    def _request(self, url: SplitResult, client_id: str, client_secret: str) -> Outgoing:
        """Make the request of RFC 6749 4.4.2; in the header id and secret are encoded as in a form (2.3.1)."""
        form = {"grant_type": "client_credentials"} | self.auth.access_token_request_data
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",  # nothing to unpack: no bomb
            "Connection": "close",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": USER_AGENT,
        }
        if self.auth.credentials_in == "header":
            pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": client_id, "client_secret": client_secret}
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        return Outgoing(method="POST", target=target, headers=headers, body=urlencode(form).encode())

    def _judged(self, answer: urllib3.BaseHTTPResponse, body: bytes) -> Granted:
        status, seconds = answer.status, retry_after(answer.headers.get("Retry-After"), self.clock())
        if status in _REFUSALS:
            raise _Refused(status, error_code(body), seconds)
        if status in WILL_PASS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise MembershipsUnavailable(self._told(f"answered with status {status}"), retry_after=seconds)
        if status not in _GOOD:
            what = f"answered with status {status} where a token is expected; check access_token_url"
            raise MembershipsContractBroken(self._told(what))
        try:
            return granted(body)
        except ValueError as error:
            raise MembershipsContractBroken(self._told(str(error))) from None

    def _refusal(self, refused: _Refused) -> ExportError:
        code = f" ({refused.code})" if refused.code else ""
        what = (
            f"answered with status {refused.status}{code}: it gives no token for the secret of "
            f"{self.auth.client_secret}; compare client_id, client_secret, credentials_in and "
            "access_token_request_data with what is registered there"
        )
        return refusal("token_endpoint", str(refused.status), self._told(what), refused.seconds)

    def _told(self, what: str) -> str:
        """Make a sentence; without the query of the URL, which may hold a secret."""
        url = urlsplit(self.auth.access_token_url)
        return f"The token endpoint at {url.netloc}{url.path} {what}."
