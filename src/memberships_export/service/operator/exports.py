"""What operators do with exports of all users: find, count, stop, mail again, bring forward. By their own rights."""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from memberships_export.domain.audit import Action, Origin
from memberships_export.domain.errors import IllegalTransition, TransientError, UnknownExport
from memberships_export.domain.export.finding import Counts, Found, Place, Wanted
from memberships_export.domain.export.lifecycle import cancel, resend
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.export.upkeep import tried_sooner
from memberships_export.domain.messages.wake import wake_message
from memberships_export.ports import Clock, ExportDesk, ExportQueue, ExportStore
from memberships_export.service.auditing import Audit
from memberships_export.service.record import change

log = logging.getLogger(__name__)
_BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class OperateExports:
    """The use cases behind `exports list|show|cancel|resend|retry`.

    What changes something is noted in the audit log before it is done, and not done when it cannot be noted
    (StorageUnavailable).
    """

    store: ExportStore
    desk: ExportDesk
    queue: ExportQueue
    audit: Audit
    clock: Clock
    policy: Policy

    def find(self, wanted: Wanted, limit: int, after: Place | None = None) -> Found:
        """Find exports, newest first."""
        return self.desk.find(wanted, limit, after)

    def counts(self, wanted: Wanted) -> Counts:
        """Count exports by status and cause."""
        return self.desk.counts(wanted)

    def get(self, export_id: str) -> Export:
        """Read an export. Raises UnknownExport."""
        export = self.store.get(export_id)
        if export is None:
            raise UnknownExport(f"There is no export {export_id}.")
        return export

    def reveal(self, origin: Origin, export_id: str = "", user_id: str | None = None) -> None:
        """Note that addresses are going to be shown: of one export, or of all that somebody looked for."""
        self.audit.note(origin, Action.ADDRESS_REVEALED, export_id=export_id, user_id=user_id)

    def cancel(self, export_id: str, origin: Origin) -> Export:
        """Stop an export. Raises UnknownExport, IllegalTransition when it is finished."""
        return self._change(export_id, origin, Action.EXPORT_CANCELLED, self._cancelled)

    def resend(self, export_id: str, origin: Origin) -> Export:
        """Mail the stored file again, to the address on the record. It counts against nobody's limit.

        Raises UnknownExport, IllegalTransition.
        """
        export = self._change(export_id, origin, Action.EXPORT_RESENT, self._resent)
        self._wake(export)
        return export

    def retry(self, export_id: str, origin: Origin) -> Export:
        """Try a waiting export now, whatever it waits for. Raises UnknownExport, IllegalTransition for any other."""
        export = self._change(export_id, origin, Action.EXPORT_RETRIED, self._forward)
        self._wake(export)
        return export

    def retry_all(self, code: str, origin: Origin) -> Iterator[Export]:
        """Try all exports now that wait for this. One that goes on by itself meanwhile is left alone."""
        wanted, after = Wanted(status=ExportStatus.WAITING, code=code), None
        while True:
            page = self.desk.find(wanted, _BATCH, after)
            for export in page.exports:
                with suppress(IllegalTransition, UnknownExport):
                    yield self.retry(export.export_id, origin)
            after = page.more
            if after is None:
                return

    def _change(self, export_id: str, origin: Origin, action: Action, decide: Callable[[Export], Export]) -> Export:
        export = self.get(export_id)
        decide(export)  # what is not possible is not noted
        with self.audit.noting(origin, action, export_id=export_id, user_id=export.user_id):
            changed = change(self.store, self.clock(), export, decide)
        log.info("export=%s event=operated action=%s status=%s", export_id, action, changed.status)
        return changed

    def _cancelled(self, export: Export) -> Export:
        return cancel(export, self.clock(), self.policy)

    def _resent(self, export: Export) -> Export:
        return resend(export, export.email, self.clock(), self.policy)

    def _forward(self, export: Export) -> Export:
        return tried_sooner(export, self.clock(), self.policy)

    def _wake(self, export: Export) -> None:
        with suppress(TransientError):  # the sweeper sends what was not sent
            self.queue.send(wake_message(export), export.stage)
