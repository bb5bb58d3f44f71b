"""One call within a time and a size: no redirects, no decompression, no retries but the pool's."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import urllib3

from memberships_export.adapters.http.pool import Pool, SentAhead

_CHUNK = 256 * 1024


class TooLate(Exception):
    """The time for the whole call is up."""


class TooLarge(Exception):
    """The body is larger than it may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What is sent. The target, headers and body may hold secrets and what is private."""

    method: str = "GET"
    target: str = field(repr=False)  # path and query
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


def send(  # noqa: PLR0913  (each bounds the call)
    pool: Pool,
    request: Outgoing,
    *,
    until: float,
    connect_seconds: float,
    read_seconds: float,
    ahead: SentAhead | None = None,
) -> urllib3.BaseHTTPResponse:
    """Return the answer with its body unread. `until`: of the clock time.monotonic. Raises TooLate, HTTPError.

    `ahead`: what `send_ahead` returned for this request.
    """
    left = until - time.monotonic()
    if left <= 0:
        raise TooLate
    return pool.urlopen(
        request.method,
        request.target,
        body=request.body,
        headers=request.headers,
        timeout=urllib3.Timeout(total=left, connect=connect_seconds, read=read_seconds),
        redirect=False,
        preload_content=False,
        decode_content=False,
        ahead=ahead,
    )


def send_ahead(pool: Pool, request: Outgoing) -> SentAhead | None:
    """Send a request whose answer is read later; None when that cannot be done without waiting."""
    return pool.send_ahead(
        request.method,
        request.target,
        body=request.body,
        headers=request.headers,
        preload_content=False,
        decode_content=False,
    )


def read_body(answer: urllib3.BaseHTTPResponse, most: int, until: float) -> bytes:
    """Read to the end, at most so many bytes. Raises TooLarge, TooLate, HTTPError."""
    return b"".join(pieces_of(answer, most, until))


def pieces_of(answer: urllib3.BaseHTTPResponse, most: int, until: float) -> Iterator[bytes]:
    """Read to the end, as the bytes come. Raises what read_body raises.

    read1 comes back after each piece, so that a slow drip cannot outlast the deadline.
    """
    announced = answer.headers.get("Content-Length", "")
    if announced.isdecimal() and float(announced) > most:
        raise TooLarge
    size = 0
    while piece := answer.read1(_CHUNK, decode_content=False):
        size += len(piece)
        if size > most:
            raise TooLarge
        if time.monotonic() > until:
            raise TooLate
        yield piece
