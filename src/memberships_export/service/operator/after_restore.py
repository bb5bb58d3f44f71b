"""For operators: what has to happen to records that come from a backup, before anybody works on them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from memberships_export.domain.errors import UnreadableRecord
from memberships_export.domain.export.after_restore import maybe_mailed
from memberships_export.ports import ExportStore
from memberships_export.service.record import change


@dataclass(frozen=True, slots=True)
class MarkMaybeMailed:
    """Marks exports that may have been mailed since the backup, so that none is mailed again without saying so."""

    store: ExportStore

    def __call__(self, export_ids: Iterable[str], now: datetime) -> int:
        """Mark those of them that are unfinished; return how many. Raises StorageUnavailable.

        What cannot be read is left as it is: nobody can mail it either.
        """
        return sum(self._mark(export_id, now) for export_id in export_ids)

    def _mark(self, export_id: str, now: datetime) -> bool:
        try:
            export = self.store.get(export_id)
        except UnreadableRecord:
            return False
        return export is not None and change(self.store, now, export, maybe_mailed, now) != export
