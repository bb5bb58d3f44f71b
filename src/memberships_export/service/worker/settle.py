"""After a failure: a copy of the message goes to the dead letter queue, and the user is told."""

import logging
from dataclasses import dataclass, field

from memberships_export.domain.errors import IllegalTransition, UnknownExport
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Evidence, Export, Owed, Stage
from memberships_export.domain.export.upkeep import left_alone, owed_again, paid
from memberships_export.domain.mail.compose import compose
from memberships_export.domain.mail.facts import failed
from memberships_export.domain.mail.intent import failure_intent
from memberships_export.domain.mail.mail import Mail, SendResult
from memberships_export.domain.messages.letters import failure_attributes
from memberships_export.domain.messages.message import Message
from memberships_export.domain.messages.wake import wake_message
from memberships_export.ports import Clock, DeadLetters, ExportQueue, ExportStore, Mailer, MailWriter, Metrics
from memberships_export.service.metrics import LETTERS, NoMetrics
from memberships_export.service.record import change

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleFailure:
    """Pays what a failed export owes. Whoever dies in between leaves the rest to the sweeper."""

    store: ExportStore
    dead_letters: DeadLetters
    queue: ExportQueue
    mailer: Mailer | None
    mail_writer: MailWriter
    clock: Clock
    policy: Policy
    metrics: Metrics = field(default_factory=NoMetrics)

    def __call__(self, export: Export) -> None:
        """Settle everything that is owed; nothing for an export that owes nothing.

        A process without a mailer hands the mail to the workers of the deliver stage: they find it owed.
        """
        try:
            if Owed.DEAD_LETTER in export.owed:
                export = self._bury(export)
            if Owed.FAILURE_MAIL in export.owed and self.mailer:
                self._tell_user(export, self.mailer)
            elif Owed.FAILURE_MAIL in export.owed:
                export = change(self.store, self.clock(), export, left_alone, self.clock(), self.policy)
                self.queue.send(wake_message(export), Stage.DELIVER)
        except (IllegalTransition, UnknownExport) as error:  # somebody else was faster
            log.info("export=%s event=already_settled reason=%s", export.export_id, error.reason)

    def _bury(self, export: Export) -> Export:
        """Letter first, note second: a second letter is harmless, a missing one is not."""
        message = wake_message(export)
        self.dead_letters.add(Message(message.body, {**message.attributes, **failure_attributes(export)}))
        self.metrics.count(LETTERS)
        return self._paid(export, Owed.DEAD_LETTER)

    def _tell_user(self, export: Export, mailer: Mailer) -> None:
        """Note first, mail second: a second mail about one failure would be worse than none.

        What certainly did not leave is owed again, a bounded number of times.
        """
        export = self._paid(export, Owed.FAILURE_MAIL)
        try:
            result = mailer.send(self._failure_mail(export))
        except Exception as error:  # noqa: BLE001  (it is told without its text, which may quote the mail)
            detail = f"A bug in the mailer ({type(error).__name__})."
            result = SendResult(evidence=Evidence.REFUSED, detail=detail)
        if result.evidence is Evidence.ACCEPTED:
            return
        log.warning("export=%s event=failure_mail_not_sent detail=%s", export.export_id, result.detail)
        if result.evidence is Evidence.REFUSED and not result.permanent:
            change(self.store, self.clock(), export, owed_again, self.clock(), self.policy)

    def _failure_mail(self, export: Export) -> Mail:
        return compose(export, failure_intent(export), self.mail_writer.write(failed(export)))

    def _paid(self, export: Export, owed: Owed) -> Export:
        return change(self.store, self.clock(), export, paid, owed, self.clock(), self.policy)
