"""The sweeper: puts back in the queue whatever should be moving and is not; deletes what expired."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from memberships_export.domain.errors import ExportError
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Export
from memberships_export.domain.export.sweeping import SweepAction, only_queued, sweep_action
from memberships_export.domain.export.timeline import noted
from memberships_export.domain.export.upkeep import files_deleted, files_going, nudged, put_off, rested
from memberships_export.domain.messages.wake import wake_message
from memberships_export.logs.about import about
from memberships_export.ports import AuditLog, Clock, ExportQueue, ExportStore, FileStore, Metrics, ServiceState
from memberships_export.service.file_keys import file_folder, parts_folder
from memberships_export.service.metrics import INTERNAL_ERRORS, OLDEST_UNFINISHED, PAUSED, SWEEPS, VISITS, NoMetrics
from memberships_export.service.worker.finish_erasures import FinishErasures
from memberships_export.service.worker.recover import RecoverExports
from memberships_export.service.worker.settle import SettleFailure

log = logging.getLogger(__name__)
_BATCH = 200

Visit = Callable[[Export], Sequence[SweepAction]]
VisitAll = Callable[[Visit, Iterable[Export]], Iterable[Sequence[SweepAction]]]
"""Visits each of many exports: `map`, one after the other, or that of a thread pool, several at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepExports:
    """One pass over all that is due. Two may run at once: every write is conditional."""

    store: ExportStore
    state: ServiceState
    queue: ExportQueue
    files: FileStore
    settle: SettleFailure
    clock: Clock
    policy: Policy
    finish_erasures: FinishErasures
    visit_all: VisitAll = map
    recover: RecoverExports | None = None
    audit: AuditLog | None = None
    metrics: Metrics = field(default_factory=NoMetrics)

    def __call__(self, should_stop: Callable[[], bool] = lambda: False) -> Mapping[SweepAction, int]:
        """Do what is due, batch by batch; return how often each action was taken.

        One export's trouble does not stop the others, and none is looked at twice in a pass.
        """

        def visit(export: Export) -> Sequence[SweepAction]:
            return [] if should_stop() else self._try_to_sweep(export)

        if self.recover:
            self.recover()  # first: what it takes from dead processes is due now
        taken: Counter[SweepAction] = Counter()
        for batch in self._all_due():
            for actions in self.visit_all(visit, batch):
                taken.update(actions)
            if should_stop():
                break
        if self.audit:
            self._forget(self.audit)
        self._count(taken)
        if not should_stop():
            self.finish_erasures()
        return taken

    def _count(self, taken: Mapping[SweepAction, int]) -> None:
        self.metrics.count(SWEEPS)
        self.metrics.set(PAUSED, 1 if self.state.paused() else 0)
        for action, times in taken.items():
            self.metrics.count(VISITS, action, times)

    def _forget(self, audit: AuditLog) -> None:
        """Delete entries of the audit log that were kept long enough: as many as one pass may."""
        try:
            forgotten = audit.forget_before(self.clock() - self.policy.keep_audit)
        except ExportError as error:
            log.warning("event=audit_not_forgotten reason=%s", error.reason)
            return
        if forgotten:
            log.info("event=audit_forgotten count=%d", forgotten)

    def _all_due(self) -> Iterator[Sequence[Export]]:
        """Read what is due in batches, the longest overdue first.

        Each visit changes its export or puts it off, so the next batch holds others.
        """
        seen: set[str] = set()  # an index may show for a moment what was dealt with already
        while True:
            batch = self._batch()
            new = [export for export in batch if export.export_id not in seen]
            yield new
            seen |= {export.export_id for export in new}
            if not new or len(batch) < _BATCH:
                return

    def _batch(self) -> Sequence[Export]:
        now = self.clock()
        batch = self.store.due(now, _BATCH)
        ages = [(now - export.requested_at).total_seconds() for export in batch if export.unfinished]
        if ages:  # an alarm watches this number
            log.info("oldest_unfinished_seconds=%d event=sweep", max(ages))
            self.metrics.set(OLDEST_UNFINISHED, max(ages))
        return batch

    def _try_to_sweep(self, export: Export) -> Sequence[SweepAction]:
        with about(export=export.export_id, request=export.request_id):
            return self._swept(export)

    def _swept(self, export: Export) -> Sequence[SweepAction]:
        try:
            return [self._sweep(export)]
        except ExportError as error:
            log.warning("export=%s event=not_swept reason=%s", export.export_id, error.reason)
        except Exception:
            log.exception("export=%s event=internal_error", export.export_id)
            self.metrics.count(INTERNAL_ERRORS)
        self._put_off(export)
        return []

    def _sweep(self, export: Export) -> SweepAction:
        action = self._action(export)
        match action:
            case SweepAction.REST:
                self.store.replace(export, rested(export, self.clock()))
            case SweepAction.NUDGE:
                action = self._nudge(export)
            case SweepAction.SETTLE:
                self.settle(export)
            case SweepAction.DELETE_FILES:
                self._delete_files(export)
            case SweepAction.DELETE_RECORD:
                self.store.delete(export)
        log.info("export=%s event=swept action=%s", export.export_id, action)
        return action

    def _action(self, export: Export) -> SweepAction:
        action = sweep_action(export, self.clock())
        wakes = action in {SweepAction.NUDGE, SweepAction.SETTLE}
        return SweepAction.REST if wakes and self.state.paused() else action

    def _nudge(self, export: Export) -> SweepAction:
        """Write first: of two sweepers only one gets to send."""
        queued = only_queued(export, holds=self.queue.holds(wake_message(export), export.stage))
        stored = self.store.replace(export, nudged(export, self.clock(), self.policy))
        if stored is not None and not queued:
            self.queue.send(wake_message(stored), stored.stage)
        return SweepAction.LEAVE_QUEUED if queued else SweepAction.NUDGE

    def _put_off(self, export: Export) -> None:
        """Look at it again later, so that what cannot be swept never keeps a batch from what can."""
        try:
            self.store.replace(export, put_off(export, self.clock(), self.policy))
        except ExportError:  # the store is away, which is why it was not swept: it stays due, and that was told
            return
        except Exception:
            log.exception("export=%s event=internal_error", export.export_id)
            self.metrics.count(INTERNAL_ERRORS)

    def _delete_files(self, export: Export) -> None:
        """Say first that they are gone: whoever asks for them from then on is told so."""
        now = self.clock()
        going = self.store.replace(export, noted(export, files_going(export, now, self.policy), now))
        if going is None:
            return
        self.files.delete_folder(parts_folder(export.export_id))
        self.files.delete_folder(file_folder(export.export_id))
        self.store.replace(going, files_deleted(going))
