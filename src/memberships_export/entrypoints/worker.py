"""The worker's loops on one machine: take a message, run the use case, do with the message what it says."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

from memberships_export.domain.errors import TransientError
from memberships_export.domain.messages.message import Received
from memberships_export.ports import ExportQueue, Machine, Metrics, ServiceState
from memberships_export.service.metrics import INTERNAL_ERRORS, NoMetrics
from memberships_export.service.worker.run import GiveBack, RunExport
from memberships_export.service.worker.sweep import SweepExports

log = logging.getLogger(__name__)
_RECEIVE_SECONDS = 1.0
_PAUSE_AFTER_TROUBLE = 1.0
_LOOK_AROUND_SECONDS = 1.0  # between two looks whether another process has died


@dataclass(slots=True, kw_only=True)
class Worker:
    """Worker threads of one process, and the sweeper where this is the process that has it."""

    queue: ExportQueue
    state: ServiceState
    run_export: RunExport
    sweep: SweepExports
    threads: int
    sweep_seconds: float
    sweeps: bool = True
    machine: Machine | None = None
    metrics: Metrics = field(default_factory=NoMetrics)
    _stop: threading.Event = field(default_factory=threading.Event)
    _running: list[threading.Thread] = field(default_factory=list)

    def start(self, drained: Callable[[], None] | None = None, up: Callable[[], None] = lambda: None) -> None:
        """Start all threads. They are daemons: what they leave undone is on the record.

        With `drained` they take what is there, and no more; it is called when the last of them has found nothing.
        `up` is called when they begin to take.
        """
        if self.machine:
            self._guarded(self.machine.me)  # from now on it can be known that a worker is alive
        if drained:
            self._start("drain", partial(self._drain, up, drained))
        else:
            self._start_workers(self._work)
        if self.sweeps:
            self._start("sweeper", self._sweep)
        if not drained:
            up()

    def _start_workers(self, loop: Callable[[], None]) -> list[threading.Thread]:
        return [self._start(f"worker-{number + 1}", loop) for number in range(self.threads)]

    def _start(self, name: str, loop: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=loop, name=name, daemon=True)
        thread.start()
        self._running.append(thread)
        return thread

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

    def _drain(self, up: Callable[[], None], drained: Callable[[], None]) -> None:
        """Let the workers find nothing, once the sweeper has woken what is due."""
        if self.sweeps:
            self._guarded(self._sweep_once)
        up()
        for thread in self._start_workers(self._work_off):
            thread.join()
        if not self._stop.is_set():
            drained()

    def _work_off(self) -> None:
        left = [True]  # trouble leaves it as it is: what could not be looked at may be there

        def once() -> None:
            left[0] = self._work_once()

        while left[0] and not self._stop.is_set():
            self._guarded(once)

    def _work_once(self) -> bool:
        """Take a message and do what it asks for; false when there is none to be taken."""
        if self.state.paused():
            self._stop.wait(_RECEIVE_SECONDS)
            return False
        received = self.queue.receive(_RECEIVE_SECONDS)
        if received is not None:
            self._handle(received)
        return received is not None

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

    def _guarded(self, step: Callable[[], object]) -> None:
        """Keep the loop alive: what a message did not get done comes back by its visibility timeout."""
        try:
            step()
        except TransientError as error:
            log.warning("event=trouble code=%s reason=%s", error.code, error.reason)
            self._stop.wait(_PAUSE_AFTER_TROUBLE)
        except Exception:
            log.exception("event=internal_error")
            self.metrics.count(INTERNAL_ERRORS)
            self._stop.wait(_PAUSE_AFTER_TROUBLE)
