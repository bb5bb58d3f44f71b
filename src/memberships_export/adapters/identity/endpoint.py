"""One call to an endpoint of the identity provider, bounded in time and size."""

import json
import os
import socket
import time
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from memberships_export.adapters.http.outgoing_url import checked_url
from memberships_export.adapters.http.pool import open_pool
from memberships_export.adapters.http.trouble import bad_certificate, trouble
from memberships_export.adapters.http.watchdog import TimeLimit
from memberships_export.version import USER_AGENT

_CHUNK = 64 * 1024
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # nothing to unpack: no bomb
    "Connection": "close",  # the next call is minutes away, or somebody else's
    "User-Agent": USER_AGENT,
}
_WILL_PASS = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class Unanswered(Exception):
    """There is no answer that can be used, for a `cause` that completes "The key set at ...".

    `status` is that of the answer, if there is one. `lasting` is what only a person can mend.
    """

    def __init__(self, cause: str, status: int | None = None, *, lasting: bool = False) -> None:
        self.cause, self.status, self.lasting = cause, status, lasting
        super().__init__(cause)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long one call may take in all, and how large its answer may be."""

    seconds: float = 5
    body_bytes: int = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is sent, which may hold secrets. `more` is appended to the path of the URL."""

    more: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: bytes | None = field(default=None, repr=False)  # sent by POST; without it by GET


@dataclass(frozen=True, slots=True)
class Body:
    """The body of an answer with status 200, and the media type that it is said to have."""

    content: bytes = field(repr=False)
    media_type: str

    def json_object(self) -> Mapping[str, Any]:
        """Read it as what it is said to be. Raises Unanswered."""
        if self.media_type != "application/json" and not self.media_type.endswith("+json"):
            kind = f"is {self.media_type[:60]!a}" if self.media_type else "has no Content-Type"
            raise Unanswered(f"answers with something that {kind}, where JSON is expected", HTTPStatus.OK, lasting=True)
        try:
            content = json.loads(self.content)
        except (ValueError, RecursionError) as error:
            raise Unanswered("answers with something that is not JSON", HTTPStatus.OK, lasting=True) from error
        if not isinstance(content, dict):
            raise Unanswered("answers with JSON that is no object", HTTPStatus.OK, lasting=True)
        return content


class Endpoint:
    """Calls one configured URL. No retries, no redirects, no decompression."""

    def __init__(self, variable: str, url: str, limits: Limits = Limits(), plain_http: Container[str] = ()) -> None:
        """Raise ValueError by name of the variable when the URL is not one to ask. `plain_http`: see outgoing_url."""
        self._url = checked_url(variable, url, query_allowed=True, plain_http=plain_http)
        self._limits = limits
        self.where = f"{self._url.netloc}{self._url.path}"  # without the query, which may hold a secret

    def read(self, ask: Ask = Ask()) -> Body:
        """Return the body. Raises Unanswered for whatever is not a whole answer with status 200."""
        deadline = time.monotonic() + self._limits.seconds
        try:
            with open_pool(self._url) as pool:
                answer = self._send(pool, ask)
                try:
                    self._check_head(answer)
                    return Body(self._content(answer, deadline), _media_type(answer))
                finally:
                    answer.close()
        except HTTPError as error:
            cause = trouble(error, self._limits.seconds, self._limits.seconds)
            raise Unanswered(cause, lasting=bad_certificate(error) is not None) from error

    def _send(self, pool: urllib3.HTTPConnectionPool, ask: Ask) -> urllib3.BaseHTTPResponse:
        of_form = {} if ask.form is None else {"Content-Type": "application/x-www-form-urlencoded"}
        return pool.urlopen(
            "GET" if ask.form is None else "POST",
            (self._url.path or "/") + ask.more + (f"?{self._url.query}" if self._url.query else ""),
            body=ask.form,
            headers={**_HEADERS, **of_form, **ask.headers},
            timeout=urllib3.Timeout(total=self._limits.seconds),
            redirect=False,
            preload_content=False,
            decode_content=False,
        )

    def _check_head(self, answer: urllib3.BaseHTTPResponse) -> None:
        status = answer.status
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise Unanswered("redirects, which is not followed: set the final URL", status, lasting=True)
        if status != HTTPStatus.OK:
            lasting = status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _WILL_PASS
            raise Unanswered(f"answers with status {status}", status, lasting=lasting)
        announced = answer.headers.get("Content-Length", "")
        if announced.isdecimal() and float(announced) > self._limits.body_bytes:
            raise self._too_large(status)

    def _content(self, answer: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        body = bytearray()
        if answer.closed:  # an announced end at once
            return b""
        with _line(answer) as line, TimeLimit(line, deadline - time.monotonic()) as limit:
            try:
                while len(body) <= self._limits.body_bytes and (piece := answer.read1(_CHUNK, decode_content=False)):
                    body += piece
            finally:
                if limit.passed:  # to the parser a body that was cut looks finished, or broken
                    raise Unanswered(f"took longer than {self._limits.seconds:g} seconds", answer.status)
        if len(body) > self._limits.body_bytes:
            raise self._too_large(answer.status)
        return bytes(body)

    def _too_large(self, status: int) -> Unanswered:
        return Unanswered(f"is larger than {self._limits.body_bytes} bytes", status, lasting=True)


def _media_type(answer: urllib3.BaseHTTPResponse) -> str:
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _line(answer: urllib3.BaseHTTPResponse) -> socket.socket:
    """Return the connection of an answer, which urllib3 does not show once its end is announced."""
    return socket.socket(fileno=os.dup(answer.fileno()))
