"""Step 3: mail the file. The intent is on the record before the first byte leaves, and evidence decides."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

from memberships_export.domain.errors import (
    DeliveryUnconfirmed,
    DeliveryUnknown,
    FileMissing,
    MailRefused,
    MailRefusedForNow,
    OutOfTime,
    StopRequested,
    TransientError,
)
from memberships_export.domain.export.delivery import (
    AlreadyAccepted,
    AwaitEvidence,
    GiveUp,
    SendFact,
    SendNow,
    intend,
    learn,
    next_step,
)
from memberships_export.domain.export.held import link_only, render_again, wait
from memberships_export.domain.export.lifecycle import next_trouble
from memberships_export.domain.export.record import Evidence, Export, Send
from memberships_export.domain.mail.compose import Written, compose
from memberships_export.domain.mail.facts import ready
from memberships_export.domain.mail.intent import send_intent
from memberships_export.domain.mail.mail import SendResult
from memberships_export.ports import Clock, FileStore, Mailer, MailWriter, Metrics
from memberships_export.service.links import DownloadLinks
from memberships_export.service.metrics import SENDS, NoMetrics
from memberships_export.service.stored_file import check_file, read_file
from memberships_export.service.worker.held_export import HeldExport, begin_again

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverMail:
    """Take the next step towards an accepted mail."""

    mailer: Mailer
    mail_writer: MailWriter
    files: FileStore
    links: DownloadLinks
    metrics: Metrics = field(default_factory=NoMetrics)

    def __call__(self, held: HeldExport, should_stop: Callable[[], bool]) -> None:
        """Send, wait for evidence, or give up. Raises the error that the record should show."""
        if should_stop():  # a send that is cut off half-way is one that nobody can judge
            raise StopRequested
        now = held.clock()
        match next_step(held.export, now, held.policy, repeatable=self.mailer.repeatable):
            case AlreadyAccepted():
                held.note(learn, _accepted_fact(held.export), now, held.policy)
            case AwaitEvidence(until=until):
                trouble = next_trouble(held.export, DeliveryUnconfirmed(), now)
                held.write(wait, trouble, until)
            case GiveUp():
                raise DeliveryUnknown(_UNKNOWN)
            case SendNow(send=send):
                self._send(held, send, should_stop)

    def _send(self, held: HeldExport, send: Send, should_stop: Callable[[], bool]) -> None:
        try:
            content = self._content(held, send, should_stop)
        except FileMissing as error:
            begin_again(held, render_again, error)
            return
        if should_stop():  # reading the file may have taken the time that was left
            raise StopRequested
        written = self._written(held.export, send)  # before the intent: what cannot be written leaves nothing to doubt
        in_time = _within(held.policy.send_time_limit, held.clock)  # the write renews the lease
        held.write(intend, send=send)
        log.info("export=%s send=%d as_link=%s event=sending", held.export.export_id, send.number, send.as_link)
        # Addressed from the record as it was just written: until then the address may change.
        mail = compose(held.export, send_intent(held.export, send), written, content)
        self._record(held, send, self.mailer.send(mail, in_time))

    def _written(self, export: Export, send: Send) -> Written:
        link = self.links.url(export) if send.as_link else None
        return self.mail_writer.write(ready(export, link=link, possible_duplicate=send.possible_duplicate))

    def _content(self, held: HeldExport, send: Send, should_stop: Callable[[], bool]) -> bytes | None:
        """Read and check what is attached; None: a link is mailed, to a file that was checked.

        Raises FileMissing, also for a file that nobody could download.
        """
        file = held.export.file
        if file is None or held.clock() >= file.expires_at:
            raise FileMissing
        if send.as_link:
            check_file(self.files, file, lambda: _go_on(held, should_stop))
            return None
        return read_file(self.files, file)

    def _record(self, held: HeldExport, send: Send, result: SendResult) -> None:
        """Put the outcome on the record. No token needed: a fact is a fact, also from a fenced-out worker."""
        fact = SendFact(
            number=send.number, evidence=result.evidence, message_id=result.message_id, detail=result.detail
        )
        self.metrics.count(SENDS, result.evidence)
        _note_for_sure(held, fact)
        _tell(held.export.export_id, send.number, result.evidence)
        if result.evidence is Evidence.REFUSED:
            self._refused(held, send, result)

    def _refused(self, held: HeldExport, send: Send, result: SendResult) -> None:
        if result.too_large and not send.as_link:
            held.write(link_only)
            return
        reason = f"The mail service refused the mail: {result.detail or 'it gave no reason'}"
        if result.permanent or result.too_large:
            raise MailRefused(reason)
        raise MailRefusedForNow(reason, retry_after=result.retry_after)


_NOTE_TRIES = 4
_SENT = "export=%s send=%d evidence=%s event=sent"
_NOT_SENT = "export=%s send=%d evidence=%s event=not_sent"
_UNCONFIRMED = "export=%s send=%d evidence=%s event=sent_unconfirmed"
_UNKNOWN = (
    "Nobody can tell whether the mail was accepted, so it is not sent again by itself. "
    "If it did not arrive, ask for it to be sent again (resend)."
)


def _tell(export_id: str, number: int, evidence: Evidence) -> None:
    """Log what became of a send: only what was accepted reads as success."""
    match evidence:
        case Evidence.ACCEPTED:
            log.info(_SENT, export_id, number, evidence)
        case Evidence.REFUSED:
            log.warning(_NOT_SENT, export_id, number, evidence)
        case Evidence.DOUBTFUL | Evidence.SILENT:
            log.warning(_UNCONFIRMED, export_id, number, evidence)


def _go_on(held: HeldExport, should_stop: Callable[[], bool]) -> None:
    if should_stop():
        raise OutOfTime
    held.keep_alive()


def _note_for_sure(held: HeldExport, fact: SendFact) -> None:
    """Try a few times: a fact that is forgotten here costs a second mail."""
    now = held.clock()
    for _ in range(_NOTE_TRIES - 1):
        with suppress(TransientError):
            held.note(learn, fact, now, held.policy)
            return
    held.note(learn, fact, now, held.policy)


def _within(limit: timedelta, clock: Clock) -> Callable[[], bool]:
    """Return what tells whether so much time has not passed yet.

    After it another worker may have taken over: sending then could be a duplicate that nobody knows of. Two clocks: one
    may be set, the other may stand still while the machine is suspended.
    """
    begun, begun_at = monotonic(), clock()
    return lambda: monotonic() - begun <= limit.total_seconds() and clock() - begun_at <= limit


def _accepted_fact(export: Export) -> SendFact:
    number = next(send.number for send in export.current_sends if send.evidence is Evidence.ACCEPTED)
    return SendFact(number=number, evidence=Evidence.ACCEPTED)
