"""The key set of the identity provider over HTTP: one GET, bounded in time and size."""

import os
import socket
import time
from collections.abc import Container
from dataclasses import dataclass
from http import HTTPStatus

import urllib3
from urllib3.exceptions import HTTPError

from memberships_export.adapters.http.outgoing_url import checked_url
from memberships_export.adapters.http.pool import open_pool
from memberships_export.adapters.http.trouble import bad_certificate, trouble
from memberships_export.adapters.http.watchdog import TimeLimit
from memberships_export.version import USER_AGENT

_CHUNK = 64 * 1024
_HEADERS = {
    "Accept": "application/jwk-set+json, application/json",
    "Accept-Encoding": "identity",  # nothing to unpack: no bomb
    "Connection": "close",  # the next call is minutes away
    "User-Agent": USER_AGENT,
}
_WILL_PASS = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class KeySetUnread(Exception):
    """The key set could not be read, for a `cause` that completes "The key set at ...".

    `status` is that of the answer, if there is one. `lasting` is what only a person can mend.
    """

    def __init__(self, cause: str, status: int | None = None, *, lasting: bool = False) -> None:
        self.cause, self.status, self.lasting = cause, status, lasting
        super().__init__(cause)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySetLimits:
    """How long one read may take in all, and how large the set may be."""

    seconds: float = 5
    body_bytes: int = 1024 * 1024


class KeySetHttp:
    """Reads the key set from one configured URL. No retries, no redirects, no decompression."""

    def __init__(self, jwks_url: str, limits: KeySetLimits = KeySetLimits(), plain_http: Container[str] = ()) -> None:
        """Raise ValueError when the URL is not one to take keys from; `plain_http`: see outgoing_url."""
        name = "MEMBERSHIPS_EXPORT_JWKS_URL"
        self._url = checked_url(name, jwks_url, query_allowed=True, plain_http=plain_http)
        self._limits = limits
        self.where = f"{self._url.netloc}{self._url.path}"  # without the query, which may hold a secret

    def read(self) -> bytes:
        """Read the body of the set. Raises KeySetUnread."""
        deadline = time.monotonic() + self._limits.seconds
        try:
            with open_pool(self._url) as pool:
                answer = self._ask(pool)
                try:
                    self._check_head(answer)
                    return self._body(answer, deadline)
                finally:
                    answer.close()
        except HTTPError as error:
            cause = trouble(error, self._limits.seconds, self._limits.seconds)
            raise KeySetUnread(cause, lasting=bad_certificate(error) is not None) from error

    def _ask(self, pool: urllib3.HTTPConnectionPool) -> urllib3.BaseHTTPResponse:
        path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
        return pool.urlopen(
            "GET",
            path,
            headers=_HEADERS,
            timeout=urllib3.Timeout(total=self._limits.seconds),
            redirect=False,
            preload_content=False,
            decode_content=False,
        )

    def _check_head(self, answer: urllib3.BaseHTTPResponse) -> None:
        status = answer.status
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise KeySetUnread("redirects, which is not followed: set the final URL", status, lasting=True)
        if status != HTTPStatus.OK:
            lasting = status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _WILL_PASS
            raise KeySetUnread("is not given out", status, lasting=lasting)
        announced = answer.headers.get("Content-Length", "")
        if announced.isdecimal() and float(announced) > self._limits.body_bytes:
            raise self._too_large(status)

    def _body(self, answer: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        body = bytearray()
        if answer.closed:  # an announced end at once
            return b""
        with _line(answer) as line, TimeLimit(line, deadline - time.monotonic()) as limit:
            try:
                while len(body) <= self._limits.body_bytes and (piece := answer.read1(_CHUNK, decode_content=False)):
                    body += piece
            finally:
                if limit.passed:  # to the parser a body that was cut looks finished, or broken
                    raise KeySetUnread(f"took longer than {self._limits.seconds:g} seconds", answer.status)
        if len(body) > self._limits.body_bytes:
            raise self._too_large(answer.status)
        return bytes(body)

    def _too_large(self, status: int) -> KeySetUnread:
        return KeySetUnread(f"is larger than {self._limits.body_bytes} bytes", status, lasting=True)


def _line(answer: urllib3.BaseHTTPResponse) -> socket.socket:
    """Return the connection of an answer, which urllib3 does not show once its end is announced."""
    return socket.socket(fileno=os.dup(answer.fileno()))
