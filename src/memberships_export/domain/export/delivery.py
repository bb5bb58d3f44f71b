"""Mailing without a receiver that recognises repetitions: what each send proved, and what to do next.

The mail service has no idempotency key, so "exactly once" cannot be promised. What can: an intent is on the record
before the first byte leaves, evidence decides, and a send that nobody can judge is repeated once, or as often as
the policy says.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from memberships_export.domain.errors import DeliveryUnknown, IllegalTransition
from memberships_export.domain.export.held import Holder, heartbeat
from memberships_export.domain.export.lifecycle import complete, misses_files, redrive
from memberships_export.domain.export.policy import AfterUnknownSend, Policy
from memberships_export.domain.export.record import (
    Delivery,
    Evidence,
    Export,
    ExportStatus,
    Send,
)

_RANK = list(Delivery)


@dataclass(frozen=True, slots=True)
class SendNow:
    """Put this send on the record first, then hand the mail to the mail service."""

    send: Send


@dataclass(frozen=True, slots=True)
class AwaitEvidence:
    """An earlier send may have been accepted: wait for the mail service to tell, until then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class AlreadyAccepted:
    """Nothing to send: an earlier send of this mailing was accepted."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Nobody can tell, and it must not be sent again."""


DeliveryStep = SendNow | AwaitEvidence | AlreadyAccepted | GiveUp


def next_step(export: Export, now: datetime, policy: Policy, *, repeatable: bool) -> DeliveryStep:
    """Decide what to do about the mail. `repeatable`: sending the same intent twice gives one mail (an outbox)."""
    sends = export.current_sends
    if any(send.evidence is Evidence.ACCEPTED for send in sends):
        return AlreadyAccepted()
    unknown = [send for send in sends if send.evidence is not Evidence.REFUSED]
    if not sends or sends[-1].evidence is Evidence.REFUSED:
        return SendNow(_new_send(export, now, policy, possible_duplicate=bool(unknown)))
    last = sends[-1]
    if repeatable and last.evidence is None:
        return SendNow(last)
    until = last.started_at + policy.evidence_wait
    if now < until:
        return AwaitEvidence(until)
    if policy.after_unknown_send is AfterUnknownSend.HOLD or len(unknown) >= policy.max_unclear_sends:
        return GiveUp()
    return SendNow(_new_send(export, now, policy, possible_duplicate=True))


def intend(export: Export, holder: Holder, send: Send) -> Export:
    """Put the intent on the record, before the first byte leaves: the file was read."""
    others = tuple(known for known in export.sends if known.number != send.number)
    trouble = None if misses_files(export) else export.trouble
    return replace(heartbeat(export, holder), sends=(*others, send), trouble=trouble)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendFact:
    """What came to be known about one send: from its own answer, or from an event of the mail service."""

    number: int
    evidence: Evidence
    message_id: str | None = None
    delivery: Delivery | None = None
    detail: str | None = None


def learn(export: Export, fact: SendFact, now: datetime, policy: Policy) -> Export:
    """Add a fact about a send. Needs no lease: what happened, happened, whoever reports it.

    Facts may come twice, late and in any order; the result is the same. Acceptance completes an export that is not
    finished otherwise (or that failed only because nobody could tell).
    """
    if not any(send.number == fact.number for send in export.sends):
        return export
    sends = tuple(_merge(send, fact) if send.number == fact.number else send for send in export.sends)
    known = replace(export, sends=sends)
    return complete(known, now, policy) if _accepted(known, fact.number) and _can_complete(known) else known


def may_have_arrived(export: Export) -> bool:
    """Tell whether a send of the current mailing is neither proven accepted nor proven refused."""
    evidence = {send.evidence for send in export.current_sends}
    return Evidence.ACCEPTED not in evidence and not evidence <= {Evidence.REFUSED}


def back_on_its_way(export: Export, now: datetime, policy: Policy) -> Export:
    """Redrive a failed export; one that is under way stays as it is.

    Raises IllegalTransition for any other, and when its mail may have arrived: that is for a person to judge.
    """
    if export.failure and may_have_arrived(export):
        command = f"memberships-export exports resend {export.export_id}"
        raise IllegalTransition(f"Its mail may have arrived. To mail it again on purpose: {command}")
    return export if export.unfinished else redrive(export, now, policy)


def _new_send(export: Export, now: datetime, policy: Policy, *, possible_duplicate: bool) -> Send:
    too_large = export.file is not None and export.file.bytes > policy.attachment_limit
    return Send(
        number=max((send.number for send in export.sends), default=0) + 1,
        mailing=export.mailing,
        started_at=now,
        as_link=export.always_link or too_large,
        possible_duplicate=possible_duplicate,
    )


def _merge(send: Send, fact: SendFact) -> Send:
    evidence = Evidence.ACCEPTED if Evidence.ACCEPTED in (send.evidence, fact.evidence) else fact.evidence
    delivery = max((d for d in (send.delivery, fact.delivery) if d), key=_RANK.index, default=None)
    details = [
        known for at, known in ((send.delivery, send.detail), (fact.delivery, fact.detail)) if at == delivery and known
    ]
    return replace(
        send,
        evidence=evidence,
        message_id=send.message_id or fact.message_id,
        delivery=delivery or (Delivery.ACCEPTED if evidence is Evidence.ACCEPTED else None),
        detail=min(details, default=send.detail),  # any fixed choice: facts come in any order
    )


def _accepted(export: Export, number: int) -> bool:
    return any(send.number == number and send.evidence is Evidence.ACCEPTED for send in export.current_sends)


def _can_complete(export: Export) -> bool:
    if export.status is ExportStatus.FAILED:
        return export.failure is not None and export.failure.code == DeliveryUnknown.code
    return export.unfinished
