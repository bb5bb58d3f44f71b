"""One HTTP/1.1 connection of uvicorn with bounds: on the size of a request, on the time it takes, on their number.

uvicorn bounds none of these.
"""

import asyncio
import logging
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from memberships_export.entrypoints.api.request_ids import request_id_of
from memberships_export.entrypoints.cli.serve import turning_away
from memberships_export.entrypoints.cli.serve.bounded_requests import BoundedRequests
from memberships_export.entrypoints.cli.serve.crowd import Crowd
from memberships_export.entrypoints.cli.serve.limits import Limits
from memberships_export.entrypoints.cli.serve.turning_away import TurnedAway
from memberships_export.logs.about import about

log = logging.getLogger(__name__)


class BoundedHttp(BoundedRequests):
    """Ends a connection that takes too much, too long, or the room of others."""

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
        super().__init__(config, server_state, app_state, _loop, limits=limits)
        self._crowd = crowd
        self._watched: int | None = None  # the step that the timer is for
        self._timer: asyncio.TimerHandle | None = None
        self._reading_timer: asyncio.TimerHandle | None = None

    # --- Number ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Count it, and turn it away when there is no room."""
        super().connection_made(transport)
        if self._crowd.enter(self):
            self.watch()
        else:
            self._turn_away(turning_away.NO_ROOM)

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room for another client; nothing that still comes is read."""
        self._crowd.gone(self)
        self._stop_timer()
        self.resume_writing()
        self.deaf = True
        super().connection_lost(exc)

    def give_way(self) -> None:
        """Close this connection, which waits for a request, in favour of a new one."""
        self.deaf = True
        if not self.steps:
            self.transport.write(turning_away.NO_ROOM.answer(self.server_state.default_headers, request_id_of(())))
        self.transport.close()
        self._abort_later(self.limits.farewell_seconds)

    def on_headers_complete(self) -> None:
        """Count the connection as busy: from here on it does not give way to others."""
        super().on_headers_complete()
        self._crowd.works(self)

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the client to take the answer."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._abort_later(self.limits.reading_seconds)
        elif not self._answering() and self.in_header and not self.deaf:
            self._crowd.waits(self)

    # --- Time ---

    def watch(self) -> None:
        """Have one timer run while a header or a body is incomplete, from its beginning: drips do not renew it."""
        idle = self.in_header and not self.begun and self.steps > 0  # uvicorn has a timer for that
        step = None if idle else self.steps
        if step == self._watched:
            return
        self._stop_timer()
        if step is not None:
            seconds = self.limits.header_seconds if self.in_header else self.limits.body_seconds
            self._watched = step
            self._timer = self.loop.call_later(seconds, self._too_late)

    def pause_writing(self) -> None:
        """Give the client its time to read."""
        super().pause_writing()
        self._reading_timer = self.loop.call_later(self.limits.reading_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Note that the client has read."""
        if self._reading_timer:
            self._reading_timer.cancel()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that nobody uses."""
        super().timeout_keep_alive_handler()
        self._abort_later(self.limits.farewell_seconds)

    def _too_late(self) -> None:
        self.stop(turning_away.SLOW_HEADER if self.in_header else turning_away.SLOW_BODY)

    def _abort_later(self, seconds: float) -> None:
        """Do not wait for ever until a client has read what was written."""
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _stop_timer(self) -> None:
        self._watched = None
        if self._timer:
            self._timer.cancel()

    # --- The end ---

    def shutdown(self) -> None:
        """Close it as soon as it is answered: the server ends."""
        if self.deaf and not self._answering():
            self.transport.abort()
        else:
            super().shutdown()

    def stop(self, why: TurnedAway | None) -> None:
        """End the connection, telling why where an answer is due."""
        if why is None or (self.in_header and self._answering()):
            self._end_with_answer()
        elif self.pipeline or (self._answering() and self.cycle.response_started):
            self.deaf = True
            self.transport.abort()  # what was begun cannot be taken back
        else:
            self._turn_away(why)

    def _end_with_answer(self) -> None:
        self.deaf = True
        self._stop_timer()
        if self._answering():
            self.cycle.keep_alive = False
        else:
            self.transport.close()

    def _turn_away(self, why: TurnedAway) -> None:
        request_id = request_id_of(self.headers if self.begun or not self.in_header else ())
        with about(request=request_id):
            log.info("status=%d code=%s event=turned_away reason=%s", why.status, why.code, why.detail)
        self.deaf = True
        if self._answering():  # the API, which waits for the rest of this request
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.in_header or not self.cycle.response_complete:
            self.transport.write(why.answer(self.server_state.default_headers, request_id))
        self._say_goodbye()

    def _say_goodbye(self) -> None:
        """Close so that the answer is read: closed while more arrives, it would be lost with the connection."""
        if self._crowd.leaves(self):
            self.flow.resume_reading()
            self.transport.write_eof()
        else:
            self.transport.close()
        self._abort_later(self.limits.farewell_seconds)

    def _answering(self) -> bool:
        return self.steps > 0 and not self.cycle.response_complete
