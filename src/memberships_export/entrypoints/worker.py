"""The worker's loops on one machine: take a message, run the use case, do with the message what it says."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from memberships_export.domain.errors import TransientError
from memberships_export.domain.messages.message import Received
from memberships_export.ports import ExportQueue, Machine
from memberships_export.service.worker.run import GiveBack, RunExport
from memberships_export.service.worker.sweep import SweepExports

log = logging.getLogger(__name__)
_RECEIVE_SECONDS = 1.0
_PAUSE_AFTER_TROUBLE = 1.0
_LOOK_AROUND_SECONDS = 1.0  # between two looks whether another process has died


@dataclass(slots=True, kw_only=True)
class Worker:
    """Worker threads and the sweeper of one process."""

    queue: ExportQueue
    run_export: RunExport
    sweep: SweepExports
    threads: int
    sweep_seconds: float
    machine: Machine | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _running: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Start all threads. They are daemons: what they leave undone is on the record."""
        loops: list[tuple[str, Callable[[], None]]] = [(f"worker-{n + 1}", self._work) for n in range(self.threads)]
        for name, loop in [*loops, ("sweeper", self._sweep)]:
            thread = threading.Thread(target=loop, name=name, daemon=True)
            thread.start()
            self._running.append(thread)

    def stop(self, seconds: float) -> bool:
        """Ask all threads to finish or checkpoint; true when they did within so many seconds."""
        self._stop.set()
        end = monotonic() + seconds
        for thread in self._running:
            thread.join(max(0.0, end - monotonic()))
        return not any(thread.is_alive() for thread in self._running)

    def _work(self) -> None:
        while not self._stop.is_set():
            self._guarded(self._work_once)

    def _work_once(self) -> None:
        received = self.queue.receive(_RECEIVE_SECONDS)
        if received is not None:
            self._handle(received)

    def _handle(self, received: Received) -> None:
        disposition = self.run_export(received, self._stop.is_set)
        if isinstance(disposition, GiveBack):
            self.queue.give_back(received, disposition.delay_seconds)
        else:
            self.queue.acknowledge(received)

    def _sweep(self) -> None:
        while not self._stop.is_set():
            self._guarded(self._sweep_once)
            self._guarded(self._wait_for_the_next_pass)

    def _sweep_once(self) -> None:
        self.sweep(self._stop.is_set)

    def _wait_for_the_next_pass(self) -> None:
        """Wait, but no longer than until another process of this machine is found dead."""
        end = monotonic() + self.sweep_seconds
        while (left := end - monotonic()) > 0 and not self._stop.wait(min(left, _LOOK_AROUND_SECONDS)):
            if self.machine and self.machine.gone():
                return

    def _guarded(self, step: Callable[[], None]) -> None:
        """Keep the loop alive: what a message did not get done comes back by its visibility timeout."""
        try:
            step()
        except TransientError as error:
            log.warning("event=trouble code=%s reason=%s", error.code, error.reason)
            self._stop.wait(_PAUSE_AFTER_TROUBLE)
        except Exception:
            log.exception("event=internal_error")
            self._stop.wait(_PAUSE_AFTER_TROUBLE)
