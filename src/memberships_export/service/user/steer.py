"""What users do with an export under way or finished: cancel it, have its file mailed again."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from memberships_export.domain.errors import RateLimited, TransientError
from memberships_export.domain.export.lifecycle import cancel, resend
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.rate import seconds_to_wait
from memberships_export.domain.export.record import Export
from memberships_export.domain.messages.wake import wake_message
from memberships_export.ports import Clock, ExportQueue, ExportStore
from memberships_export.service.record import change
from memberships_export.service.user.read import ReadExports


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelExport:
    """Stop an export. A mail that has been handed over already cannot be called back."""

    read: ReadExports
    store: ExportStore
    clock: Clock
    policy: Policy

    def __call__(self, export_id: str, user_id: str) -> Export:
        """Cancel this user's export. Raises UnknownExport, IllegalTransition when it is finished."""
        export = self.read.get(export_id, user_id)
        return change(self.store, export, cancel, self.clock(), self.policy)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendExport:
    """Mail a stored file again, on purpose."""

    read: ReadExports
    store: ExportStore
    queue: ExportQueue
    clock: Clock
    policy: Policy

    def __call__(self, export_id: str, user_id: str) -> Export:
        """Start another mailing. Raises UnknownExport, IllegalTransition, RateLimited."""
        export, now = self.read.get(export_id, user_id), self.clock()
        _check_rate(export, now, self.policy)
        export = change(self.store, export, resend, now, self.policy)
        with suppress(TransientError):  # the sweeper sends what was not sent
            self.queue.send(wake_message(export), export.stage)
        return export


def _check_rate(export: Export, now: datetime, policy: Policy) -> None:
    seconds = seconds_to_wait((send.started_at for send in export.sends), now, policy.max_exports_per_hour)
    if seconds is not None:
        reason = (
            f"This file was mailed {policy.max_exports_per_hour} times within the hour; "
            f"try again in {seconds:.0f} seconds."
        )
        raise RateLimited(reason, retry_after=seconds)
