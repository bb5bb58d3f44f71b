"""What the mail service tells us later: accepted, delivered, bounced. Repeats, delays and any order are harmless."""

import logging
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from memberships_export.domain.audit import SYSTEM, Action, Origin
from memberships_export.domain.errors import UnknownExport, UnreadableRecord
from memberships_export.domain.export.delivery import SendFact, learn
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.ports import Clock, ExportStore, Metrics
from memberships_export.service.auditing import Audit
from memberships_export.service.metrics import DELIVERIES, FINISHED, NoMetrics
from memberships_export.service.record import change

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MailEvent:
    """One fact about one send of one export.

    Without an export id only the fact's message id can tell which send it is about; its number is 0.
    """

    export_id: str | None
    fact: SendFact


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMailEvents:
    """The use case behind the mail service's webhook."""

    store: ExportStore
    clock: Clock
    policy: Policy
    audit: Audit
    metrics: Metrics = field(default_factory=NoMetrics)

    def __call__(self, events: Iterable[MailEvent], origin: Origin = SYSTEM) -> int:
        """Add the facts to their records; return how many had a record. Unknown exports are passed over.

        What names no export and has no message id of ours is counted in one line: other mails of the same account.
        Raises StorageUnavailable; UnreadableRecord when all others are recorded, so that this one comes again.
        """
        unreadable: list[UnreadableRecord] = []
        results = [(event, self._recorded(event, origin, unreadable)) for event in events]
        if unreadable:
            raise unreadable[0]
        unmatched = sum(event.export_id is None and not recorded for event, recorded in results)
        if unmatched:
            log.info("event=mail_events_unmatched count=%d", unmatched)
        return sum(recorded for _, recorded in results)

    def _recorded(self, event: MailEvent, origin: Origin, unreadable: list[UnreadableRecord]) -> bool:
        try:
            return self._record(event, origin)
        except UnreadableRecord as error:
            unreadable.append(error)
            return False

    def _record(self, event: MailEvent, origin: Origin) -> bool:
        export = self._find(event)
        fact = _fact_about(export, event) if export else None
        if export is None or fact is None:
            return False
        learning = _Learning(fact, self.clock, self.policy)
        try:
            with self._noting(export, learning, origin):
                change(self.store, self.clock(), export, learning)
        except UnknownExport:
            return False
        self._count(learning)
        if learning.something_new:  # an alarm counts these lines, and repeats are normal
            log.info("export=%s send=%d delivery=%s event=mail_event", export.export_id, fact.number, fact.delivery)
        return True

    def _count(self, learning: "_Learning") -> None:
        if learning.something_new and learning.fact.delivery:
            self.metrics.count(DELIVERIES, learning.fact.delivery)
        if learning.completed:
            self.metrics.count(FINISHED, ExportStatus.COMPLETED)

    def _noting(self, export: Export, learning: "_Learning", origin: Origin) -> AbstractContextManager[object]:
        """Note what decides an export; what is only one more fact about its mail stands on its timeline."""
        if learning(export).status is export.status:
            return nullcontext()
        return self.audit.noting(origin, Action.MAIL_PROVEN, export_id=export.export_id, user_id=export.user_id)

    def _find(self, event: MailEvent) -> Export | None:
        if event.export_id is not None:
            return self.store.get(event.export_id)
        return self.store.find_by_message_id(event.fact.message_id) if event.fact.message_id else None


@dataclass(slots=True)
class _Learning:
    """Adds a fact to a record, and remembers whether the record that was written learned anything from it."""

    fact: SendFact
    clock: Clock
    policy: Policy
    something_new: bool = False
    completed: bool = False

    def __call__(self, export: Export) -> Export:
        known = learn(export, self.fact, self.clock(), self.policy)
        self.something_new = _delivery(known, self.fact.number) != _delivery(export, self.fact.number)
        self.completed = known.status is ExportStatus.COMPLETED and export.status is not ExportStatus.COMPLETED
        return known


def _fact_about(export: Export, event: MailEvent) -> SendFact | None:
    if event.export_id is not None:
        return event.fact
    numbers = (send.number for send in export.sends if send.message_id == event.fact.message_id)
    number = next(numbers, None)
    return None if number is None else replace(event.fact, number=number)


def _delivery(export: Export, number: int) -> tuple[object, ...]:
    return next(((send.evidence, send.delivery) for send in export.sends if send.number == number), ())
