"""What a worker does with one message: claim the export, take it as far as it goes, say what to do with the message."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Protocol
from uuid import uuid4

from memberships_export.domain.errors import (
    ExportError,
    IllegalTransition,
    LeaseLost,
    NoProgress,
    NotNow,
    OutOfTime,
    StopRequested,
    TransientError,
    UnknownExport,
)
from memberships_export.domain.export.held import Holder, claim, fail_held, run_out, stumble, wait, yield_back
from memberships_export.domain.export.lifecycle import fail, next_trouble
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Export, ExportStatus, Stage
from memberships_export.domain.export.retry import GiveUpWith, back_in, plan
from memberships_export.domain.messages.message import Received
from memberships_export.domain.messages.wake import wake_message
from memberships_export.logs.about import about
from memberships_export.ports import Clock, Erasures, ExportQueue, ExportStore, Machine, Metrics, ServiceState
from memberships_export.service.clear_erased import written_in_vain
from memberships_export.service.metrics import (
    BYTES,
    EXPORT_SECONDS,
    FAILED,
    FINISHED,
    INTERNAL_ERRORS,
    RETRIES,
    ROWS,
    STAGE_SECONDS,
    NoMetrics,
)
from memberships_export.service.record import change
from memberships_export.service.worker.find import FindExport
from memberships_export.service.worker.held_export import HeldExport
from memberships_export.service.worker.settle import SettleFailure

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """The message has done its work: remove it."""


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Somebody else is at it, or its record cannot be reached: show the message again later."""

    delay_seconds: float


Disposition = Acknowledge | GiveBack


class StageStep(Protocol):
    """One of fetch, render and deliver."""

    def __call__(self, held: HeldExport, should_stop: Callable[[], bool]) -> None:
        """Take the export out of this stage, or raise why not."""
        ...


class _InternalError(TransientError):
    code = "internal_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunExport:
    """The worker's use case. The record decides; the message only wakes.

    `stages`: the steps this worker takes; an export that is at another one is handed to the queue of that stage.
    """

    find: FindExport
    store: ExportStore
    state: ServiceState
    erasures: Erasures
    queue: ExportQueue
    stages: Mapping[Stage, StageStep]
    settle: SettleFailure
    clock: Clock
    policy: Policy
    jitter: Callable[[], float]
    machine: Machine | None = None
    metrics: Metrics = field(default_factory=NoMetrics)

    def __call__(self, received: Received, should_stop: Callable[[], bool]) -> Disposition:
        """Handle one message. `should_stop` turns true when the worker must finish soon."""
        try:
            export = self.find(received)
        except TransientError as error:
            return self._not_found_yet(received, error)
        if export is None:
            return Acknowledge()
        with about(export=export.export_id, request=export.request_id):
            return self._take(export, received, should_stop)

    def _take(self, export: Export, received: Received, should_stop: Callable[[], bool]) -> Disposition:
        if self.state.paused():  # it has a record, which wakes it when the pause is over
            return Acknowledge()
        if export.unfinished and export.stage not in self.stages:
            self.queue.send(wake_message(export), export.stage)
            return Acknowledge()
        try:
            held = self._claim(export)
        except NotNow as error:
            return self._later(received, error.until)
        if held is not None:
            self._run(held, lambda: should_stop() or self._is_interrupted())
        return Acknowledge()

    def _is_interrupted(self) -> bool:
        pause = self.state.paused()
        return pause is not None and not pause.drain

    def _not_found_yet(self, received: Received, error: TransientError) -> Disposition:
        """Give the message back: a plain one has no record yet, so that nobody else would bring it back."""
        seconds = back_in(received.receive_count)
        if seconds is None:
            raise error
        log.warning("message=%s code=%s event=given_back reason=%s", received.message_id, error.code, error.reason)
        return GiveBack(seconds)

    def _later(self, received: Received, until: datetime) -> Disposition:
        """Give the message back for later, but never spend its last receives on that: the record wakes itself."""
        if received.receive_count >= self.policy.max_receives - 1:
            return Acknowledge()
        return GiveBack(max((until - self.clock()).total_seconds(), 1.0))

    def _claim(self, export: Export) -> HeldExport | None:
        """Take the lease; None when the export is finished, also by being claimed too often for nothing."""
        now, owner = self.clock(), self._owner()
        try:
            export = change(self.store, now, export, claim, owner, now, self.policy)
        except NoProgress as error:
            self._fail_unclaimed(export, error)
            return None
        except (IllegalTransition, UnknownExport):  # finished already, but maybe by a worker that died right then
            self.settle(export)
            return None
        log.info("export=%s token=%d stage=%s event=claimed", export.export_id, export.token, export.stage)
        return HeldExport(export=export, store=self.store, clock=self.clock, policy=self.policy, token=export.token)

    def _owner(self) -> str:
        """Name a new claim; on one machine, as one of this process."""
        return f"{self.machine.me()}.{uuid4().hex}" if self.machine else uuid4().hex

    def _fail_unclaimed(self, export: Export, error: ExportError) -> None:
        try:
            export = change(self.store, self.clock(), export, fail, error, self.clock(), self.policy)
        except (IllegalTransition, UnknownExport) as other:
            log.info("export=%s event=stopped reason=%s", export.export_id, other.reason)
            return
        log.error("export=%s code=%s event=failed reason=%s", export.export_id, error.code, error.reason)
        self._count_failure(error)
        self._settle(export)

    def _run(self, held: HeldExport, should_stop: Callable[[], bool]) -> None:
        try:
            while held.export.status is ExportStatus.RUNNING:
                self._run_stage(held, should_stop)
        except (LeaseLost, IllegalTransition, UnknownExport) as error:
            self._overtaken(held, error)
        except StopRequested as error:
            self._leave(held, run_out if isinstance(error, OutOfTime) else yield_back)
        except ExportError as error:
            self._stopped_by(held, error)
        except Exception as error:  # a bug must not leave the export without a reason on its record
            log.exception("export=%s event=internal_error", held.export.export_id)
            self.metrics.count(INTERNAL_ERRORS)
            self._stopped_by(held, _InternalError(f"Unexpected error {type(error).__name__}; see the service's log."))
        if held.export.status is not ExportStatus.RUNNING:  # else it is somebody else's: `stopped` told that
            log.info("export=%s status=%s event=left", held.export.export_id, held.export.status)

    def _run_stage(self, held: HeldExport, should_stop: Callable[[], bool]) -> None:
        stage, begun = held.export.stage, monotonic()
        if stage not in self.stages:
            raise StopRequested
        self.stages[stage](held, should_stop)
        seconds = monotonic() - begun
        log.info("export=%s stage=%s seconds=%.3f event=stage_done", held.export.export_id, stage, seconds)
        self._count_stage(held.export, stage, seconds)

    def _count_stage(self, export: Export, stage: Stage, seconds: float) -> None:
        self.metrics.observe(STAGE_SECONDS, seconds, stage)
        if stage is Stage.RENDER and export.file:
            self.metrics.count(ROWS, by=export.file.rows)
            self.metrics.count(BYTES, by=export.file.bytes)
        if export.status is ExportStatus.COMPLETED and export.finished_at:
            self.metrics.count(FINISHED, export.status)
            if export.mailing == 1:  # a resend is asked for long after the file was made
                taken = export.finished_at - export.requested_at
                self.metrics.observe(EXPORT_SECONDS, taken.total_seconds())

    def _count_failure(self, error: ExportError) -> None:
        self.metrics.count(FINISHED, ExportStatus.FAILED)
        self.metrics.count(FAILED, error.code)

    def _stopped_by(self, held: HeldExport, error: ExportError) -> None:
        """Write the error's consequence. Losing the lease meanwhile means that somebody else decides."""
        try:
            if isinstance(error, TransientError):
                self._wait(held, error)
            else:
                self._fail(held, error)
        except (LeaseLost, IllegalTransition, UnknownExport) as lost:
            self._overtaken(held, lost)

    def _overtaken(self, held: HeldExport, error: ExportError) -> None:
        """Stop: somebody else decides about the export, or it was erased, with what this worker wrote until then."""
        log.info("export=%s event=stopped reason=%s", held.export.export_id, error.reason)
        if isinstance(error, UnknownExport):
            written_in_vain(self.erasures, held.export.export_id, self.clock())

    def _wait(self, held: HeldExport, error: TransientError) -> None:
        now = self.clock()
        trouble = next_trouble(held.on_record, error, now)
        decision = plan(error, trouble, now, self.policy, self.jitter())
        if isinstance(decision, GiveUpWith):
            self._fail(held, decision.error)
            return
        park = stumble if isinstance(error, _InternalError) else wait
        held.write(park, trouble=trouble, until=decision.at)
        self.metrics.count(RETRIES, error.code)
        log.warning(
            "export=%s code=%s until=%s event=waiting reason=%s",
            held.export.export_id,
            error.code,
            decision.at.isoformat(timespec="seconds"),
            error.reason,
        )

    def _fail(self, held: HeldExport, error: ExportError) -> None:
        held.write(fail_held, error)
        log.error("export=%s code=%s event=failed reason=%s", held.export.export_id, error.code, error.reason)
        self._count_failure(error)
        self._settle(held.export)

    def _settle(self, export: Export) -> None:
        """Pay what it owes, unless nothing may be mailed now: the sweeper does it after the pause."""
        if not self._is_interrupted():
            self.settle(export)

    def _leave(self, held: HeldExport, stop: Callable[[Export, Holder], Export]) -> None:
        """Leave the rest to the next worker, and wake it."""
        try:
            held.write(stop)
        except (LeaseLost, UnknownExport) as error:
            self._overtaken(held, error)
            return
        self.queue.send(wake_message(held.export), held.export.stage)
