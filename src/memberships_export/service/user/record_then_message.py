"""Taking in exports where record and message are two writes: the record first, and the message if it can be sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from memberships_export.domain.errors import TransientError
from memberships_export.domain.messages.new_export import NewExport, TakenIn
from memberships_export.ports import ExportQueue, ExportStore


@dataclass(frozen=True, slots=True)
class RecordThenMessage:
    """Intake over any store and queue."""

    store: ExportStore
    queue: ExportQueue
    most: int = 1

    def take_in(self, new: Sequence[NewExport]) -> Sequence[TakenIn | Exception]:
        """Take in one after the other."""
        return [self._outcome(one) for one in new]

    def _outcome(self, new: NewExport) -> TakenIn | Exception:
        try:
            stored = self.store.create(new.export, new.turn)
        except Exception as error:  # noqa: BLE001  (it is told to whoever asked for this one)
            return error
        return self._woken(new) if stored.revision == new.export.revision else TakenIn(stored)

    def _woken(self, new: NewExport) -> TakenIn | Exception:
        try:
            self.queue.send(new.message)
        except TransientError as error:
            return TakenIn(new.export, unsent=error.reason)
        except Exception as error:  # noqa: BLE001  (a bug; the record is there, and the sweeper wakes a worker)
            return error
        return TakenIn(new.export)
