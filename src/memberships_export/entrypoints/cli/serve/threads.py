"""API and worker as threads of one process, and their end within five seconds of a signal.

The main thread only waits: so a signal neither gets lost in a library nor interrupts the work, and no request, page or
mail that hangs can keep the process.
"""

import logging
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Protocol

from memberships_export.entrypoints.cli.serve.child import leave
from memberships_export.entrypoints.cli.serve.pipes import Tie
from memberships_export.entrypoints.cli.serve.restarting import UNCLEAN
from memberships_export.entrypoints.worker import Worker

log = logging.getLogger(__name__)
_WORKER_SECONDS = 3.0
_SERVER_ENDED, _DRAINED, _PARENT_SAYS_SO = 0, -1, -2  # no signal has these numbers


class Api(Protocol):
    """An API that can be started and stopped."""

    def start(self, ended: Callable[[], None]) -> None:
        """Return when it is up, or has failed to come up; `ended` is called at its end, for whatever reason."""
        ...

    def stop(self) -> bool:
        """Finish the answers under way; tell whether that went well."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What runs in one process. `started` is called when the API is up: from then on a worker can fetch from it.

    `drain`: end too when the worker finds nothing more to do.
    """

    api: Api | None
    worker: Worker | None
    started: Callable[[], None]
    drain: bool = False


def run_until_signal(parts: Parts) -> bool:
    """Run the parts; false when the API ended by itself. Does not return when something hangs: the process ends."""
    endings: SimpleQueue[int] = SimpleQueue()  # unlike an Event, it may be used in a signal handler
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: endings.put(received))
    _start(parts, endings, lambda: None)
    ending = endings.get()
    if ending == _DRAINED:
        log.info("event=stopping drained=%s", True)
    else:
        log.info("event=stopping signal=%d", ending)
    clean = _stop(parts)
    log.info("event=stopped clean=%s", clean)
    if not clean:
        leave(0 if ending != _SERVER_ENDED else 1)
    return ending != _SERVER_ENDED


def run_until_told(parts: Parts, tie: Tie) -> bool:
    """As above, in a child: its parent says when to end, and tells the log. SIGTERM ends this child alone."""
    endings: SimpleQueue[int] = SimpleQueue()
    signal.signal(signal.SIGTERM, lambda received, _frame: endings.put(received))
    tie.watch(lambda: endings.put(_PARENT_SAYS_SO))
    _start(parts, endings, tie.up)
    ending = endings.get()
    if ending == signal.SIGTERM and parts.api:  # most likely all got it; then workers still need the API
        with suppress(Empty):
            ending = endings.get(timeout=_WORKER_SECONDS)
    if not _stop(parts):
        leave(UNCLEAN)
    return ending != _SERVER_ENDED


def _start(parts: Parts, endings: SimpleQueue[int], up: Callable[[], None]) -> None:
    if parts.api:
        parts.api.start(lambda: endings.put(_SERVER_ENDED))
    if not endings.empty():
        return
    parts.started()
    if parts.worker:
        parts.worker.start((lambda: endings.put(_DRAINED)) if parts.drain else None, up)
    else:
        up()


def _stop(parts: Parts) -> bool:
    """Worker first: while it comes to a good place to stop, it still fetches from the API."""
    worker_done = parts.worker.stop(_WORKER_SECONDS) if parts.worker else True
    api_done = parts.api.stop() if parts.api else True
    return worker_done and api_done
