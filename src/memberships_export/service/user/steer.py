"""What users do with an export under way or finished: cancel it, have its file mailed again."""

import logging
from contextlib import suppress
from dataclasses import dataclass, field

from memberships_export.domain.audit import SYSTEM, Action, Origin
from memberships_export.domain.errors import TransientError
from memberships_export.domain.export.lifecycle import cancel, resend
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.rate import Turn
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.mail.address import canonical_address
from memberships_export.domain.messages.wake import wake_message
from memberships_export.ports import Clock, ExportQueue, ExportStore, Metrics
from memberships_export.service.auditing import Audit
from memberships_export.service.metrics import FINISHED, NoMetrics
from memberships_export.service.record import change
from memberships_export.service.user.read import ReadExports

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelExport:
    """Stop an export. A mail that has been handed over already cannot be called back."""

    read: ReadExports
    store: ExportStore
    clock: Clock
    policy: Policy
    audit: Audit
    metrics: Metrics = field(default_factory=NoMetrics)

    def __call__(self, export_id: str, user_id: str, origin: Origin = SYSTEM) -> Export:
        """Cancel this user's export. Raises UnknownExport, IllegalTransition when it is finished."""
        export, now = self.read.get(export_id, user_id), self.clock()
        cancel(export, now, self.policy)  # what is not possible is not noted
        with self.audit.noting(origin, Action.EXPORT_CANCELLED, export_id=export_id, user_id=user_id):
            export = change(self.store, now, export, cancel, now, self.policy)
        log.info("export=%s status=%s event=cancelled", export.export_id, export.status)
        if export.status is ExportStatus.CANCELLED:  # a resend that is called off leaves a completed export
            self.metrics.count(FINISHED, export.status)
        return export


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendExport:
    """Mail a stored file again, on purpose."""

    read: ReadExports
    store: ExportStore
    queue: ExportQueue
    clock: Clock
    policy: Policy
    audit: Audit

    def __call__(self, export_id: str, user_id: str, email: str, origin: Origin = SYSTEM) -> Export:
        """Start another mailing, to the address of who asks.

        Raises InvalidAddress, UnknownExport, IllegalTransition, RateLimited.
        """
        email = canonical_address(email)
        export, now = self.read.get(export_id, user_id), self.clock()
        resend(export, email, now, self.policy)  # what is not possible takes no turn
        self.store.take_turn(Turn(user_id, now, self.policy.max_exports_per_hour))
        with self.audit.noting(origin, Action.EXPORT_RESENT, export_id=export_id, user_id=user_id):
            export = change(self.store, now, export, resend, email, now, self.policy)
        log.info("export=%s mailing=%d event=resent", export.export_id, export.mailing)
        with suppress(TransientError):  # the sweeper sends what was not sent
            self.queue.send(wake_message(export), export.stage)
        return export
