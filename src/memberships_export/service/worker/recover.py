"""What only one machine knows: exports of a process that died go on at once, and those of a clock that was set back."""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from memberships_export.domain.errors import ExportError
from memberships_export.domain.export.record import Export
from memberships_export.domain.export.upkeep import abandoned, clock_set_back
from memberships_export.ports import Clock, ExportStore, Machine, Metrics
from memberships_export.service.metrics import INTERNAL_ERRORS, NoMetrics

log = logging.getLogger(__name__)
_DIFFERENCE = timedelta(minutes=1)  # that much processes may disagree about the time


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverExports:
    """Ends leases of dead processes, and waits that a clock made too long. Two may do so at once."""

    machine: Machine
    store: ExportStore
    clock: Clock
    metrics: Metrics = field(default_factory=NoMetrics)

    def __call__(self) -> None:
        """Do it for all; trouble is told and left to the next time, when leases have not ended by themselves."""
        try:
            for process in self.machine.gone():
                self._take_from(process)
            now = self.clock()
            for export, written_at in self.machine.written_after(now + _DIFFERENCE):
                self._set_back(export, written_at, now)
        except ExportError as error:
            log.warning("event=not_recovered reason=%s", error.reason)
        except Exception:
            log.exception("event=internal_error")
            self.metrics.count(INTERNAL_ERRORS)

    def _take_from(self, process: str) -> None:
        """Forget the process only when nothing names it any more."""
        taken = [self._taken(export) for export in self.machine.held_by(process)]
        if all(taken):
            self.machine.forget(process)

    def _set_back(self, export: Export, written_at: datetime, now: datetime) -> None:
        if self.store.replace(export, clock_set_back(export, written_at, now)) is not None:
            seconds = (written_at - now).total_seconds()
            log.warning("export=%s seconds=%.0f event=brought_forward", export.export_id, seconds)

    def _taken(self, export: Export) -> bool:
        stored = self.store.replace(export, abandoned(export, self.clock()))
        if stored is not None:
            log.info("export=%s token=%d event=abandoned", export.export_id, export.token)
        return stored is not None
