"""The sweeper's part of erasing: what was left undone, and a second look when every worker must have noticed."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from memberships_export.domain.errors import ExportError
from memberships_export.domain.export.tombstone import Tombstone
from memberships_export.ports import Clock, Erasures
from memberships_export.service.clear_erased import ClearErased

log = logging.getLogger(__name__)
_BATCH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishErasures:
    """Clears what is due. Two may do so at once: all that they do may be done twice."""

    erasures: Erasures
    clear: ClearErased
    clock: Clock

    def __call__(self) -> None:
        """Clear a batch; trouble is told, and what is left stays due for the next pass."""
        try:
            due = self.erasures.due(self.clock(), _BATCH)
        except ExportError as error:
            log.warning("event=not_erased reason=%s", error.reason)
            return
        if due and not self._done(due):
            for tombstone in due:  # one export's trouble does not stop the others
                self._done([tombstone])

    def _done(self, tombstones: Sequence[Tombstone]) -> bool:
        try:
            self.clear(tombstones)
        except ExportError as error:
            log.warning("export=%s event=not_erased reason=%s", tombstones[0].export_id, error.reason)
            return False
        except Exception:
            log.exception("export=%s event=internal_error", tombstones[0].export_id)
            return False
        return True
