"""What is known at once on one machine: the exports of a process that died go on without waiting for their leases."""

import logging
from dataclasses import dataclass

from memberships_export.domain.errors import ExportError
from memberships_export.domain.export.lifecycle import abandoned
from memberships_export.domain.export.record import Export
from memberships_export.ports import Clock, ExportStore, Machine

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverExports:
    """Ends the leases of dead processes. Two may do so at once: every write is conditional."""

    machine: Machine
    store: ExportStore
    clock: Clock

    def __call__(self) -> None:
        """Do it for all; trouble is told and left to the next time, when leases have not ended by themselves."""
        try:
            for process in self.machine.gone():
                self._take_from(process)
        except ExportError as error:
            log.warning("event=not_recovered reason=%s", error.reason)
        except Exception:
            log.exception("event=internal_error")

    def _take_from(self, process: str) -> None:
        """Forget the process only when nothing names it any more."""
        taken = [self._taken(export) for export in self.machine.held_by(process)]
        if all(taken):
            self.machine.forget(process)

    def _taken(self, export: Export) -> bool:
        stored = self.store.replace(export, abandoned(export, self.clock()))
        if stored is not None:
            log.info("export=%s token=%d event=abandoned", export.export_id, export.token)
        return stored is not None
