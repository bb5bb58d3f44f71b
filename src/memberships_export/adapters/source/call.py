"""The memberships API over HTTP: one page per call, as the user it is about, believing as little as possible."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import HTTPError

from memberships_export.adapters.http.outgoing_url import checked_url
from memberships_export.adapters.http.pool import open_pool
from memberships_export.adapters.http.retry_after import retry_after
from memberships_export.adapters.http.trouble import bad_certificate, trouble
from memberships_export.domain.errors import (
    ExportError,
    MembershipsContractBroken,
    MembershipsRefused,
    MembershipsUnavailable,
)
from memberships_export.ports import Clock, PageRequest
from memberships_export.version import USER_AGENT

log = logging.getLogger(__name__)
_CHUNK = 256 * 1024
# The registered content codings (RFC 9110 18.6), and what some servers call them.
_COMPRESSIONS = frozenset(
    {"gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd", "dcb", "dcz", "bzip2", "xz", "exi"}
)
_WILL_PASS = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
# What a person has to mend, without touching the export: what it says to that person.
_REFUSALS = {
    HTTPStatus.UNAUTHORIZED: "it does not accept the worker's token; compare MEMBERSHIPS_EXPORT_SERVICE_SECRET, "
    "MEMBERSHIPS_EXPORT_SERVICE_AUDIENCE and the clocks of both sides",
    HTTPStatus.PAYMENT_REQUIRED: "it wants to be paid",
    HTTPStatus.FORBIDDEN: "the worker's token lacks a right there, or a firewall stands in the way",
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: "a proxy on the way wants a login",
    HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED: "a network on the way wants a login",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """How long one page may take, and how large it may be."""

    connect_seconds: float = 5
    read_seconds: float = 30  # for the head of the answer, and between two pieces of its body
    total_seconds: float = 120
    body_bytes: int = 32 * 1024 * 1024

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
    ) -> None:
        """`service_token` makes a token for one user id. ValueError when the URL is not one to send tokens to."""
        url = checked_url("MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL", base_url)
        self._pool = open_pool(url)
        self._path = url.path.rstrip("/") + "/memberships"
        self._where = f"{url.netloc}{self._path}"
        self._service_token = service_token
        self._limits = limits
        self._clock = clock

    def fetch(self, request: PageRequest) -> bytes:
        """Fetch one page as received, for others to read. No redirects, no decompression, no retries but the pool's.

        What urllib3 gives as an answer has the length that was announced, or the last chunk: anything shorter is an
        error of it. Only an answer without either ends with its connection, however that ends.
        """
        deadline = time.monotonic() + self._limits.total_seconds
        try:
            answer = self._ask(request)
            try:
                self._check_head(answer)
                return self._read(answer, deadline)
            finally:
                answer.close()  # a connection that was read to its end is back in the pool by now, and stays open
        except HTTPError as error:
            what = trouble(error, *self._limits.patience)
            raise (self._refused("none", what) if bad_certificate(error) else self._unavailable(what)) from error

    def _ask(self, request: PageRequest) -> urllib3.BaseHTTPResponse:
        query = {"limit": request.limit} | ({"cursor": request.cursor} if request.cursor else {})
        return self._pool.urlopen(
            "GET",
            f"{self._path}?{urlencode(query)}",
            headers={
                "Authorization": f"Bearer {self._service_token(request.user_id)}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",  # nothing to unpack: no bomb
                "User-Agent": USER_AGENT,
            },
            timeout=urllib3.Timeout(
                total=self._limits.total_seconds, connect=self._limits.connect_seconds, read=self._limits.read_seconds
            ),
            redirect=False,
            preload_content=False,
            decode_content=False,
        )

    def _check_head(self, answer: urllib3.BaseHTTPResponse) -> None:
        if answer.status != HTTPStatus.OK:
            raise self._not_ok(answer)
        codings = answer.headers.get("Content-Encoding", "").lower().replace(",", " ").split()
        if packed := _COMPRESSIONS.intersection(codings):  # anything else, such as utf-8, names no compression
            what = f"sent a compressed page ({', '.join(packed)}) although it was asked not to"
            raise self._broken(f"{what}; switch compression off for it")
        announced = answer.headers.get("Content-Length", "")
        if announced.isdecimal() and float(announced) > self._limits.body_bytes:
            raise self._too_large()

    def _read(self, answer: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        """Read to the end; read1 comes back after each piece, so that a slow drip cannot outlast the deadline."""
        chunks, size = [], 0
        while chunk := answer.read1(_CHUNK, decode_content=False):
            chunks.append(chunk)
            size += len(chunk)
            if size > self._limits.body_bytes:
                raise self._too_large()
            if time.monotonic() > deadline:
                raise self._unavailable(f"took longer than {self._limits.total_seconds:g} seconds for one page")
        return b"".join(chunks)

    def _not_ok(self, answer: urllib3.BaseHTTPResponse) -> ExportError:
        status, seconds = answer.status, retry_after(answer.headers.get("Retry-After"), self._clock())
        if status in _REFUSALS:
            return self._refused(
                str(status), f"answered with status {status}: {_REFUSALS[HTTPStatus(status)]}", seconds
            )
        if status in _WILL_PASS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return self._unavailable(f"answered with status {status}", seconds)
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            return self._broken(
                f"answered with a redirect (status {status}). Redirects are not followed, as the token would travel "
                "along; set MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL to the final URL"
            )
        return self._broken(f"answered with status {status} where only 200 is expected")

    def _too_large(self) -> MembershipsContractBroken:
        return self._broken(
            f"sent a page of more than {self._limits.body_bytes} bytes; lower MEMBERSHIPS_EXPORT_PAGE_SIZE"
        )

    def _refused(self, status: str, what: str, seconds: float | None = None) -> MembershipsRefused:
        """Tell the operator at once: an alarm watches this event."""
        log.error(
            "by=memberships_api status=%s event=refused reason=The memberships API at %s %s.", status, self._where, what
        )
        return MembershipsRefused(f"The memberships API at {self._where} {what}.", retry_after=seconds)

    def _unavailable(self, what: str, seconds: float | None = None) -> MembershipsUnavailable:
        return MembershipsUnavailable(f"The memberships API at {self._where} {what}.", retry_after=seconds)

    def _broken(self, what: str) -> MembershipsContractBroken:
        return MembershipsContractBroken(f"The memberships API at {self._where} {what}.")
