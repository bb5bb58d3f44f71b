"""uvicorn's HTTP/1.1 parser with bounds on the size of a request, kept before anything is made of the bytes."""

import asyncio
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from memberships_export.entrypoints.cli.serve import turning_away
from memberships_export.entrypoints.cli.serve.limits import Limits
from memberships_export.entrypoints.cli.serve.turning_away import TurnedAway

_PIPELINED = 16  # requests that may wait for the answer to the one before


class _Excess(Exception):
    """Stops the parser. Without `why`, the connection ends with the answers that are under way."""

    def __init__(self, why: TurnedAway | None) -> None:
        self.why = why


class BoundedRequests(HttpToolsProtocol):
    """What comes in on one connection. What to do about excess is for the class below."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: Limits,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.limits = limits
        self.steps = 0  # headers and messages that became whole
        self.in_header = True  # what comes next belongs to one
        self.begun = False  # a byte of the next message has come
        self.deaf = False  # nothing that still comes is read
        self._size = 0  # bytes on the wire since the last step
        self._header_size = 0  # bytes of URL and whole header fields

    def stop(self, why: TurnedAway | None) -> None:
        """End the connection, telling why where an answer is due."""
        raise NotImplementedError

    def watch(self) -> None:
        """Look how far the connection has come."""
        raise NotImplementedError

    def data_received(self, data: bytes) -> None:
        """Parse what came, never more at once than may still come."""
        while data and not self.deaf:
            room = (self.limits.header_bytes if self.in_header else self.limits.body_bytes) - self._size
            piece, data = data[:room], data[room:]
            self._feed(piece)
        if not self.deaf:
            self.watch()

    def on_message_begin(self) -> None:
        """Refuse a client that sends more requests ahead than are kept."""
        if len(self.pipeline) >= _PIPELINED:
            raise _Excess(None)
        self._unset_keepalive_if_required()  # not by an empty line, which begins nothing
        self.begun = True
        self._header_size = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count the bytes of the URL, or of a part of it, towards the size of the header."""
        self._grow(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count the field and its bytes; both are limited."""
        if not self.in_header:
            return  # a trailer: nobody here reads any, and they would pile up beside the header
        if len(self.headers) >= self.limits.header_fields:
            raise _Excess(turning_away.LONG_HEADER)
        self._grow(len(name) + len(value) + len(": \r\n"))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Count what follows as body, no longer as header."""
        super().on_headers_complete()
        self._step(in_header=False)

    def on_message_complete(self) -> None:
        """Count what follows as the header of the next request."""
        self._step(in_header=True)
        self.begun = False
        super().on_message_complete()

    def _feed(self, piece: bytes) -> None:
        step = self.steps
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            self.stop(None)  # to another protocol; ours is the only one, and the parser has ended
        except httptools.HttpParserError as error:
            cause = error.__context__
            self.stop(cause.why if isinstance(cause, _Excess) else turning_away.NOT_HTTP)
        else:
            if step == self.steps:
                self._unfinished(len(piece))

    def _unfinished(self, size: int) -> None:
        """Stop what is not whole when all that it may take has come."""
        self._size += size
        if self.in_header and self._size >= self.limits.header_bytes:
            long_url = self.begun and 2 * len(self.url) > self.limits.header_bytes
            self.stop(turning_away.LONG_URL if long_url else turning_away.LONG_HEADER)
        elif not self.in_header and self._size >= self.limits.body_bytes:
            self.stop(turning_away.LONG_BODY)

    def _grow(self, size: int) -> None:
        """Count what the parser hands out: also a header that came in one piece with the body before it."""
        self._header_size += size
        if self._header_size > self.limits.header_bytes:
            raise _Excess(turning_away.LONG_HEADER)

    def _step(self, *, in_header: bool) -> None:
        self.steps += 1
        self.in_header = in_header
        self._size = 0
