"""API and worker as threads of one process, and their end within five seconds of a signal.

The main thread only waits: so a signal neither gets lost in a library nor interrupts the work, and no request, page or
mail that hangs can keep the process.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from queue import SimpleQueue
from socket import socket

import anyio.to_thread
import uvicorn
from fastapi import FastAPI

from memberships_export.entrypoints.cli.serve.bounded_http import BoundedHttp
from memberships_export.entrypoints.cli.serve.crowd import Crowd
from memberships_export.entrypoints.cli.serve.limits import Limits
from memberships_export.entrypoints.cli.serve.listening import BACKLOG
from memberships_export.entrypoints.worker import Worker

log = logging.getLogger(__name__)
_WORKER_SECONDS = 3.0
_ANSWER_SECONDS = 1
_SERVER_ENDED, _DRAINED = 0, -1  # no signal has these numbers
# asyncio takes so many connections at once before the first of them is counted: far fewer than files are left.
_ACCEPTED_AT_ONCE = 16


class ApiThread:
    """An app on sockets that are open already."""

    def __init__(self, app: FastAPI, sockets: list[socket], limits: Limits, headers: Mapping[str, str]) -> None:
        """`headers`: of every answer, also of those that no app gives.

        There is no access log: the paths of download links hold their tokens.
        """
        config = uvicorn.Config(
            app,
            http=partial(BoundedHttp, limits=limits, crowd=Crowd(limits.connections)),  # type: ignore[arg-type]
            ws="none",
            backlog=_ACCEPTED_AT_ONCE,
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
            self._server.up.set()
            ended()


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


def run_until_signal(
    api: ApiThread | None, worker: Worker | None, started: Callable[[], None], *, drain: bool = False
) -> bool:
    """Run the parts; false when the API ended by itself. Does not return when something hangs: the process ends.

    `started` is called when the API is up: from then on a worker can fetch from it. `drain`: end too when the worker
    finds nothing more to do.
    """
    endings: SimpleQueue[int] = SimpleQueue()  # unlike an Event, it may be used in a signal handler
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: endings.put(received))
    if api:
        api.start(lambda: endings.put(_SERVER_ENDED))
    if endings.empty():
        started()
        if worker:
            worker.start((lambda: endings.put(_DRAINED)) if drain else None)
    ending = endings.get()
    if ending == _DRAINED:
        log.info("event=stopping drained=%s", True)
    else:
        log.info("event=stopping signal=%d", ending)
    clean = _stop(api, worker)
    log.info("event=stopped clean=%s", clean)
    if not clean:
        _leave(ending)
    return ending != _SERVER_ENDED


def _stop(api: ApiThread | None, worker: Worker | None) -> bool:
    """Worker first: while it comes to a good place to stop, it still fetches from the API."""
    worker_done = worker.stop(_WORKER_SECONDS) if worker else True
    api_done = api.stop() if api else True
    return worker_done and api_done


def _leave(ending: int) -> None:
    """End without waiting for threads that hang: what they leave undone is on the record."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0 if ending != _SERVER_ENDED else 1)
