"""An app on sockets that are open already, as a thread: uvicorn, with bounds."""

import threading
from collections.abc import Callable, Mapping
from functools import partial
from socket import socket

import anyio.to_thread
import uvicorn
from fastapi import FastAPI

from memberships_export.entrypoints.cli.serve.bounded_http import BoundedHttp
from memberships_export.entrypoints.cli.serve.crowd import Crowd
from memberships_export.entrypoints.cli.serve.limits import Limits
from memberships_export.entrypoints.cli.serve.listening import BACKLOG

_ANSWER_SECONDS = 1
# asyncio takes so many connections at once before the first of them is counted: far fewer than files are left.
_ACCEPTED_AT_ONCE = 16


class ApiThread:
    """An app on sockets that are open already."""

    def __init__(
        self,
        app: FastAPI,
        sockets: list[socket],
        limits: Limits,
        headers: Mapping[str, str],
        *,
        shares_sockets: bool = False,
    ) -> None:
        """`headers`: of every answer, also of those that no app gives. `shares_sockets`: with other processes.

        There is no access log: the paths of download links hold their tokens.
        """
        config = uvicorn.Config(
            app,
            http=partial(BoundedHttp, limits=limits, crowd=Crowd(limits.connections)),  # type: ignore[arg-type]
            ws="none",
            backlog=1 if shares_sockets else _ACCEPTED_AT_ONCE,  # who is free takes the next one
            log_config=None,
            access_log=False,
            server_header=False,
            headers=list(headers.items()),
            proxy_headers=False,  # nothing here depends on who is asking from where
            timeout_keep_alive=limits.idle_seconds,
            timeout_graceful_shutdown=_ANSWER_SECONDS,
        )
        self._server = _Server(config, limits.threads)
        self._sockets = sockets

    def start(self, ended: Callable[[], None]) -> None:
        """Return when it is up, or has failed to come up; `ended` is called at its end, for whatever reason."""
        self._thread = threading.Thread(target=self._run, args=(ended,), name="api", daemon=True)
        self._thread.start()
        self._server.up.wait()

    def stop(self) -> bool:
        """Finish the answers under way; tell whether that went well."""
        self._server.should_exit = True
        self._thread.join(_ANSWER_SECONDS + 0.5)
        return not self._thread.is_alive()

    def _run(self, ended: Callable[[], None]) -> None:
        try:
            self._server.run(self._sockets)
        finally:
            ended()  # first: who waits for it to be up then looks whether it has ended
            self._server.up.set()


class _Server(uvicorn.Server):
    """Tells when it is up."""

    def __init__(self, config: uvicorn.Config, threads: int) -> None:
        super().__init__(config)
        self.up = threading.Event()
        self._threads = threads

    async def startup(self, sockets: list[socket] | None = None) -> None:
        anyio.to_thread.current_default_thread_limiter().total_tokens = self._threads
        await super().startup(sockets)
        for one in sockets or []:
            one.listen(BACKLOG)  # for the kernel's queue; asyncio has made it as short as what it accepts at once
        self.up.set()
