"""The memberships API over HTTP: one call for one page, believing as little as possible of the answer."""

import time
from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus

import urllib3
from urllib3.exceptions import HTTPError

from memberships_export.adapters.http.bounded import Outgoing, TooLarge, TooLate, send, send_ahead
from memberships_export.adapters.http.outgoing_url import checked_url
from memberships_export.adapters.http.pool import SentAhead, open_pool
from memberships_export.adapters.http.retry_after import retry_after
from memberships_export.adapters.http.trouble import bad_certificate, trouble
from memberships_export.adapters.http.unpacked import CutShort, NotGzip, compressions, is_gzip, read_unpacked
from memberships_export.adapters.source.auth import Authorizers, Credential
from memberships_export.adapters.source.headers import answer_headers, request_headers
from memberships_export.adapters.source.profile_secrets import ProfileSecrets
from memberships_export.adapters.source.wording import Wording
from memberships_export.domain.errors import ExportError
from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.domain.source.profile import KnownProfile
from memberships_export.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """How long one page may take, how large it may be, and who may be asked for it without TLS."""

    connect_seconds: float = 5
    read_seconds: float = 30  # for the head of the answer, and between two pieces of its body
    total_seconds: float = 120
    body_bytes: int = 32 * 1024 * 1024
    plain_http: Container[str] = ()  # hosts

    @property
    def patience(self) -> tuple[float, float]:
        """How long it is waited for a connection, and for an answer on it."""
        return min(self.connect_seconds, self.total_seconds), min(self.read_seconds, self.total_seconds)


class MembershipsHttp:
    """A MembershipSource on one pool of kept-alive connections. Safe to share between threads."""

    def __init__(
        self,
        base_url: str,
        service_token: Callable[[str], str],
        limits: HttpLimits = HttpLimits(),
        clock: Clock = lambda: datetime.now(UTC),
        secrets: ProfileSecrets | None = None,
    ) -> None:
        """`service_token` makes a token of our own for one user id; `secrets` finds what profiles name.

        ValueError when the URL is not one to send tokens to.
        """
        self._url = checked_url("MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL", base_url, plain_http=limits.plain_http)
        self._pool = open_pool(self._url)
        self._authorizers = Authorizers(service_token, secrets or ProfileSecrets({}), clock, limits.plain_http)
        self._limits = limits
        self._clock = clock

    @property
    def base_url(self) -> str:
        """Where the API is, without a slash at its end."""
        return self._url.geturl().rstrip("/")

    def fetch(self, call: Call, profile: KnownProfile) -> Answer:
        """Make one call as the profile says. No redirects, no retries but the pool's.

        After a 401 it is repeated once, if there is another token to show or another secret by now. All of it, tokens
        too, takes no longer than the limits say. Raises MembershipsUnavailable, MembershipsRefused, NothingThere,
        PlaceForgotten and MembershipsContractBroken.
        """
        return self._fetch(call, profile, None)

    def ask(self, call: Call, profile: KnownProfile) -> "_Page":
        """Send the request now, if a connection is open, and read the answer when it is wanted.

        Reading has all the time that the limits give one page, counted from its begin.
        """
        say = Wording(self._where(profile), profile.profile.auth)
        authorizer = self._authorizers.of(profile)
        try:
            credential = authorizer.credential(call.user_id, time.monotonic() + self._limits.total_seconds)
            sent = send_ahead(self._pool, self._outgoing(call, credential, say))
        except ExportError:  # the answer tells it, if it is still so
            sent = None
        ahead = _Ahead(credential, sent) if sent else None
        return _Page(partial(self._fetch, call, profile), ahead)

    def _fetch(self, call: Call, profile: KnownProfile, ahead: "_Ahead | None") -> Answer:
        say = Wording(self._where(profile), profile.profile.auth)
        until = time.monotonic() + self._limits.total_seconds
        try:
            answer = self._authorized(call, profile, say, until, ahead)
            try:
                self._check_head(answer, call, say)
                headers = answer_headers(answer.headers, profile.profile, say)
                return Answer(read_unpacked(answer, self._limits.body_bytes, until), headers)
            finally:
                answer.close()  # a connection that was read to its end is back in the pool by now, and stays open
        except HTTPError as error:
            what = trouble(error, *self._limits.patience)
            raise (say.refused("none", what) if bad_certificate(error) else say.unavailable(what)) from error
        except CutShort:
            raise say.unavailable("sent a compressed page that ends in its middle") from None
        except NotGzip as error:
            raise say.broken(f"sent a page that is not the gzip that its header says ({error})") from None
        except TooLate:
            raise say.unavailable(f"took longer than {self._limits.total_seconds:g} seconds for one page") from None
        except TooLarge:
            what = f"sent a page of more than {self._limits.body_bytes} bytes; lower MEMBERSHIPS_EXPORT_PAGE_SIZE"
            raise say.broken(what) from None

    def _authorized(
        self, call: Call, profile: KnownProfile, say: Wording, until: float, ahead: "_Ahead | None"
    ) -> urllib3.BaseHTTPResponse:
        authorizer = self._authorizers.of(profile)
        credential = ahead.credential if ahead else authorizer.credential(call.user_id, until)
        answer = self._send(self._outgoing(call, credential, say), until, ahead)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            answer.close()  # of a refusal only the head is read
            if renewed := authorizer.renewed(credential, until):
                return self._send(self._outgoing(call, renewed, say), until)
        return answer

    def _outgoing(self, call: Call, credential: Credential, say: Wording) -> Outgoing:
        query = "&".join(filter(None, (call.query, credential.query)))
        return Outgoing(
            method=call.method,
            target=self._url.path.rstrip("/") + call.path + (f"?{query}" if query else ""),
            headers=request_headers(call, credential.headers, say),
            body=call.body,
        )

    def _send(self, request: Outgoing, until: float, ahead: "_Ahead | None" = None) -> urllib3.BaseHTTPResponse:
        connect, read = self._limits.connect_seconds, self._limits.read_seconds
        sent = ahead.sent if ahead else None
        return send(self._pool, request, until=until, connect_seconds=connect, read_seconds=read, ahead=sent)

    def _check_head(self, answer: urllib3.BaseHTTPResponse, call: Call, say: Wording) -> None:
        """Refuse what is no page, before its body is read.

        What urllib3 gives as a body has the length that was announced, or the last chunk: anything shorter is an error
        of it. Only an answer without either ends with its connection, however that ends.
        """
        if answer.status != HTTPStatus.OK:
            seconds = retry_after(answer.headers.get("Retry-After"), self._clock())
            raise say.of_status(answer.status, seconds, first=call.first)
        packed = compressions(answer)
        if packed and call.compression == "none":
            what = f"sent a compressed page ({', '.join(packed)}) although it was asked not to"
            raise say.broken(f"{what}; switch compression off for it")
        if packed and not is_gzip(packed):
            raise say.broken(f"sent a page compressed by {', '.join(packed)}; only gzip is unpacked, once")

    def _where(self, profile: KnownProfile) -> str:
        """Name the address as the profile writes it: what stands for a user stays a placeholder."""
        return f"{self._url.netloc}{self._url.path.rstrip('/')}{profile.profile.request.path}"


@dataclass(frozen=True, slots=True)
class _Ahead:
    """What was sent, and what it showed to prove who asks."""

    credential: Credential
    sent: SentAhead


@dataclass(slots=True)
class _Page:
    """An Awaited."""

    fetch: Callable[[_Ahead | None], Answer]
    ahead: _Ahead | None

    def answer(self) -> Answer:
        """Read the answer; what could not be sent before is sent now."""
        try:
            return self.fetch(self.ahead)
        finally:
            self.drop()

    def drop(self) -> None:
        """Close the connection, unless the answer was read."""
        if self.ahead:
            self.ahead.sent.drop()
