"""API and worker as threads of one process, and their end within five seconds of a signal.

The main thread only waits, at a pipe into which signals come whichever thread gets them: so none gets lost in a library
or interrupts the work, and no request, page or mail that hangs can keep the process.
"""

import logging
import os
import select
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from memberships_export.entrypoints.cli.serve.child import leave
from memberships_export.entrypoints.cli.serve.pipes import Tie
from memberships_export.entrypoints.cli.serve.restarting import UNCLEAN
from memberships_export.entrypoints.worker import Worker

log = logging.getLogger(__name__)
_WORKER_SECONDS = 3.0
_SERVER_ENDED, _DRAINED, _PARENT_SAYS_SO = 0, 200, 201  # no signal has these numbers


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
    reading, writing = _hear(signal.SIGTERM, signal.SIGINT)
    _start(parts, _Pipe(writing), lambda: None)
    ending = os.read(reading, 1)[0]
    tell_stopping(ending, drained=ending == _DRAINED)
    clean = _stop(parts)
    log.info("event=stopped clean=%s", clean)
    if not clean:
        leave(0 if ending != _SERVER_ENDED else 1)
    return ending != _SERVER_ENDED


def tell_stopping(number: int, *, drained: bool) -> None:
    """Log why the service stops: by this signal, or because there is nothing left to do."""
    if drained:
        log.info("event=stopping drained=%s", True)
    else:
        log.info("event=stopping signal=%d", number)


def run_until_told(parts: Parts, tie: Tie) -> bool:
    """As above, in a child: its parent says when to end, and tells the log. SIGTERM ends this child alone."""
    reading, writing = _hear(signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    _start(parts, _Pipe(writing), tie.up)
    ending = _wait(reading, tie.lifeline, None)
    if ending == signal.SIGTERM and parts.api:  # most likely all got it; then workers still need the API
        ending = _wait(reading, tie.lifeline, _WORKER_SECONDS)
    if not _stop(parts):
        leave(UNCLEAN)
    return ending != _SERVER_ENDED


def _hear(*numbers: signal.Signals) -> tuple[int, int]:
    """Make a pipe into which these signals come, and return its ends.

    A handler would not do: the main thread runs it, which does not wake when another thread gets the signal.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)  # first, or a signal that comes now would be nowhere
    for number in numbers:
        signal.signal(number, lambda _received, _frame: None)  # its number goes into the pipe
    return reading, writing


class _Pipe:
    """Where threads put why the process is to end, beside the numbers of signals."""

    def __init__(self, writing: int) -> None:
        self._writing = writing
        self._any = False

    def put(self, ending: int) -> None:
        self._any = True
        os.write(self._writing, bytes([ending]))

    def empty(self) -> bool:
        return not self._any


def _wait(reading: int, lifeline: int, seconds: float | None) -> int:
    """Return why to end; SIGINT is for the parent."""
    while True:
        ready, _, _ = select.select([reading, lifeline], [], [], seconds)
        if lifeline in ready or not ready:
            return _PARENT_SAYS_SO
        number = os.read(reading, 1)[0]
        if number != signal.SIGINT:
            return number


def _start(parts: Parts, endings: _Pipe, up: Callable[[], None]) -> None:
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
