"""uvicorn's HTTP/1.1 connection with bounds: on the size of a request, on the time it takes, on their number.

uvicorn bounds none of these. Each bound is kept where the bytes come in, before anything is made of them.
"""

import asyncio
import logging
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from memberships_export.entrypoints.cli.serve import turning_away
from memberships_export.entrypoints.cli.serve.crowd import Crowd
from memberships_export.entrypoints.cli.serve.limits import Limits
from memberships_export.entrypoints.cli.serve.turning_away import TurnedAway

log = logging.getLogger(__name__)
_PIPELINED = 16  # requests that may wait for the answer to the one before


class _Excess(Exception):
    """Stops the parser. Without `why`, the connection ends with the answers that are under way."""

    def __init__(self, why: TurnedAway | None) -> None:
        self.why = why


class BoundedHttp(HttpToolsProtocol):
    """One connection. `_steps` counts headers and messages that became whole; what comes next starts with it."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: Limits,
        crowd: Crowd,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self._crowd = crowd
        self._steps = 0
        self._in_header = True
        self._begun = False
        self._size = 0  # bytes on the wire since the last step
        self._header_size = 0  # bytes of URL and whole header fields
        self._deaf = False  # nothing that still comes is read
        self._watched: int | None = None  # the step that the timer is for
        self._timer: asyncio.TimerHandle | None = None
        self._reading_timer: asyncio.TimerHandle | None = None

    # --- The connection ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Count it, and turn it away when there is no room."""
        super().connection_made(transport)
        if self._crowd.enter(self):
            self._watch()
        else:
            self._turn_away(turning_away.NO_ROOM)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._crowd.gone(self)
        self._stop_timer()
        self.resume_writing()
        self._deaf = True
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, never more at once than may still come."""
        while data and not self._deaf:
            room = (self._limits.header_bytes if self._in_header else self._limits.body_bytes) - self._size
            piece, data = data[:room], data[room:]
            self._feed(piece)
        if not self._deaf:
            self._watch()

    def give_way(self) -> None:
        """Close this connection, which waits for a request, in favour of a new one."""
        self._deaf = True
        if not self._steps:
            self.transport.write(turning_away.NO_ROOM.answer(self.server_state.default_headers))
        self.transport.close()
        self._abort_later(self._limits.farewell_seconds)

    def shutdown(self) -> None:
        """Close it as soon as it is answered: the server ends."""
        if self._deaf and not self._answering():
            self.transport.abort()
        else:
            super().shutdown()

    # --- What the parser finds ---

    def on_message_begin(self) -> None:
        """Begin a request."""
        if len(self.pipeline) >= _PIPELINED:
            raise _Excess(None)
        self._unset_keepalive_if_required()  # not by an empty line, which begins nothing
        self._begun = True
        self._header_size = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take the URL, or a part of it."""
        self._grow(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header field."""
        if not self._in_header:
            return  # a trailer: nobody here reads any, and they would pile up beside the header
        if len(self.headers) >= self._limits.header_fields:
            raise _Excess(turning_away.LONG_HEADER)
        self._grow(len(name) + len(value) + len(": \r\n"))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Have the request answered."""
        super().on_headers_complete()
        self._step(in_header=False)
        self._crowd.works(self)

    def on_message_complete(self) -> None:
        """Wait for the next request."""
        self._step(in_header=True)
        self._begun = False
        super().on_message_complete()

    # --- The answer ---

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the client to take the answer."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._abort_later(self._limits.reading_seconds)
        elif not self._answering() and self._in_header and not self._deaf:
            self._crowd.waits(self)

    def pause_writing(self) -> None:
        """Give the client its time to read."""
        super().pause_writing()
        self._reading_timer = self.loop.call_later(self._limits.reading_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Note that the client has read."""
        if self._reading_timer:
            self._reading_timer.cancel()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that nobody uses."""
        super().timeout_keep_alive_handler()
        self._abort_later(self._limits.farewell_seconds)

    # --- The bounds ---

    def _feed(self, piece: bytes) -> None:
        step = self._steps
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            self._end_with_answer()  # to another protocol; ours is the only one, and the parser has ended
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._stop(cause.why if isinstance(cause, _Excess) else turning_away.NOT_HTTP)
        else:
            if step == self._steps:
                self._unfinished(len(piece))

    def _unfinished(self, size: int) -> None:
        """Stop what is not whole when all that it may take has come."""
        self._size += size
        if self._in_header and self._size >= self._limits.header_bytes:
            long_url = 2 * len(self.url) > self._limits.header_bytes if self._begun else False
            self._stop(turning_away.LONG_URL if long_url else turning_away.LONG_HEADER)
        elif not self._in_header and self._size >= self._limits.body_bytes:
            self._stop(turning_away.LONG_BODY)

    def _grow(self, size: int) -> None:
        """Count what the parser hands out: also a header that came in one piece with the body before it."""
        self._header_size += size
        if self._header_size > self._limits.header_bytes:
            raise _Excess(turning_away.LONG_HEADER)

    def _step(self, *, in_header: bool) -> None:
        self._steps += 1
        self._in_header = in_header
        self._size = 0

    def _watch(self) -> None:
        """Have one timer run while a header or a body is incomplete, from its beginning: drips do not renew it."""
        idle = self._in_header and not self._begun and self._steps > 0  # uvicorn has a timer for that
        step = None if idle else self._steps
        if step == self._watched:
            return
        self._stop_timer()
        if step is not None:
            seconds = self._limits.header_seconds if self._in_header else self._limits.body_seconds
            self._watched = step
            self._timer = self.loop.call_later(seconds, self._too_late)

    def _too_late(self) -> None:
        self._stop(turning_away.SLOW_HEADER if self._in_header else turning_away.SLOW_BODY)

    def _stop_timer(self) -> None:
        self._watched = None
        if self._timer:
            self._timer.cancel()

    # --- The end ---

    def _stop(self, why: TurnedAway | None) -> None:
        """End the connection, telling why where an answer is due."""
        if why is None or (self._in_header and self._answering()):
            self._end_with_answer()
        elif self.pipeline or (self._answering() and self.cycle.response_started):
            self._deaf = True
            self.transport.abort()  # what was begun cannot be taken back
        else:
            self._turn_away(why)

    def _end_with_answer(self) -> None:
        self._deaf = True
        self._stop_timer()
        if self._answering():
            self.cycle.keep_alive = False
        else:
            self.transport.close()

    def _turn_away(self, why: TurnedAway) -> None:
        log.info("status=%d code=%s event=turned_away reason=%s", why.status, why.code, why.detail)
        self._deaf = True
        self._stop_timer()
        if self._answering():  # the API, which waits for the rest of this request
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self._in_header or not self.cycle.response_complete:
            self.transport.write(why.answer(self.server_state.default_headers))
        self._say_goodbye()

    def _say_goodbye(self) -> None:
        """Close so that the answer is read: closed while more arrives, it would be lost with the connection."""
        if self._crowd.leaves(self):
            self.flow.resume_reading()
            self.transport.write_eof()
            self._abort_later(self._limits.farewell_seconds)
        else:
            self.transport.close()
            self._abort_later(self._limits.farewell_seconds)

    def _abort_later(self, seconds: float) -> None:
        """Do not wait for ever until a client has read what was written."""
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _answering(self) -> bool:
        return self._steps > 0 and not self.cycle.response_complete
