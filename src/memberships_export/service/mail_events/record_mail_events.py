"""What the mail service tells us later: accepted, delivered, bounced. Repeats, delays and any order are harmless."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from memberships_export.domain.errors import UnknownExport
from memberships_export.domain.export.delivery import SendFact, learn
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Export
from memberships_export.ports import Clock, ExportStore
from memberships_export.service.record import change

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MailEvent:
    """One fact about one send of one export."""

    export_id: str
    fact: SendFact


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMailEvents:
    """The use case behind the mail service's webhook."""

    store: ExportStore
    clock: Clock
    policy: Policy

    def __call__(self, events: Iterable[MailEvent]) -> int:
        """Add the facts to their records; return how many had a record. Unknown exports are passed over."""
        return sum(self._record(event) for event in events)

    def _record(self, event: MailEvent) -> bool:
        export = self.store.get(event.export_id)
        if export is None:
            return False
        learning = _Learning(event.fact, self.clock, self.policy)
        try:
            change(self.store, export, learning)
        except UnknownExport:
            return False
        if learning.something_new:  # an alarm counts these lines, and repeats are normal
            fact = event.fact
            log.info("export=%s send=%d delivery=%s event=mail_event", event.export_id, fact.number, fact.delivery)
        return True


@dataclass(slots=True)
class _Learning:
    """Adds a fact to a record, and remembers whether the record that was written learned anything from it."""

    fact: SendFact
    clock: Clock
    policy: Policy
    something_new: bool = False

    def __call__(self, export: Export) -> Export:
        known = learn(export, self.fact, self.clock(), self.policy)
        self.something_new = _delivery(known, self.fact.number) != _delivery(export, self.fact.number)
        return known


def _delivery(export: Export, number: int) -> tuple[object, ...]:
    return next(((send.evidence, send.delivery) for send in export.sends if send.number == number), ())
