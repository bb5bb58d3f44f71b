"""What becomes known of sends, and what it means for the export."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberships_export.domain.errors import DeliveryUnknown
from memberships_export.domain.export.delivery import (
    SendFact,
    learn,
)
from memberships_export.domain.export.policy import AfterUnknownSend, Policy
from memberships_export.domain.export.record import (
    Delivery,
    Evidence,
    Export,
    ExportStatus,
    Failure,
    Send,
    Stage,
    new_message_ids,
)
from memberships_export.domain.mail.intent import parse_send_intent, send_intent
from tests.factories import REQUESTED_AT as NOW
from tests.factories import an_export

POLICY = Policy()
HOLD = replace(POLICY, after_unknown_send=AfterUnknownSend.HOLD)
E, LONG_AGO = Evidence, NOW - timedelta(minutes=15)


def sent(*evidence: Evidence | None, at: timedelta = timedelta(0), mailing: int = 1) -> Export:
    sends = [
        Send(number=n, mailing=mailing, started_at=NOW - at, evidence=known) for n, known in enumerate(evidence, 1)
    ]
    return an_export(status=ExportStatus.RUNNING, stage=Stage.DELIVER, sends=tuple(sends))


@pytest.mark.parametrize("status", [ExportStatus.QUEUED, ExportStatus.RUNNING, ExportStatus.WAITING])
def test_proof_of_acceptance_completes_an_unfinished_export(status: ExportStatus) -> None:
    done = learn(replace(sent(E.SILENT), status=status), SendFact(number=1, evidence=E.ACCEPTED), NOW, POLICY)
    assert (done.status, done.delivery) == (ExportStatus.COMPLETED, Delivery.ACCEPTED)
    assert (done.files_until, done.expires_at) == (NOW + POLICY.keep_files, NOW + POLICY.keep_records)


def failed(code: str) -> Export:
    failure = Failure(stage=Stage.DELIVER, code=code, reason="r", at=NOW)
    return replace(sent(E.SILENT), status=ExportStatus.FAILED, failure=failure)


def test_late_proof_completes_an_export_that_failed_only_because_nobody_could_tell() -> None:
    done = learn(failed(DeliveryUnknown.code), SendFact(number=1, evidence=E.ACCEPTED), NOW, POLICY)
    assert (done.status, done.failure) == (ExportStatus.COMPLETED, None)


def test_late_proof_does_not_undo_another_failure_or_a_cancellation() -> None:
    fact = SendFact(number=1, evidence=E.ACCEPTED)
    assert learn(failed("no_progress"), fact, NOW, POLICY).status is ExportStatus.FAILED
    cancelled = learn(replace(sent(E.SILENT), status=ExportStatus.CANCELLED), fact, NOW, POLICY)
    assert (cancelled.status, cancelled.delivery) == (ExportStatus.CANCELLED, Delivery.ACCEPTED)


def test_proof_about_an_earlier_mailing_does_not_complete_a_resend() -> None:
    export = replace(sent(E.SILENT), mailing=2)
    assert learn(export, SendFact(number=1, evidence=E.ACCEPTED), NOW, POLICY).status is ExportStatus.RUNNING


def test_a_fact_about_an_unknown_send_changes_nothing() -> None:
    export = sent(E.SILENT)
    assert learn(export, SendFact(number=9, evidence=E.ACCEPTED), NOW, POLICY) is export


def test_acceptance_is_never_unlearned() -> None:
    export = learn(sent(E.ACCEPTED), SendFact(number=1, evidence=E.DOUBTFUL), NOW, POLICY)
    assert export.sends[0].evidence is E.ACCEPTED


FACTS = [
    SendFact(number=1, evidence=E.ACCEPTED),
    SendFact(number=1, evidence=E.ACCEPTED, delivery=Delivery.DELIVERED),
    SendFact(number=1, evidence=E.ACCEPTED, delivery=Delivery.BOUNCED, detail="mailbox full"),
    SendFact(number=1, evidence=E.ACCEPTED, delivery=Delivery.BOUNCED, detail="no such user"),
]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_facts_in_any_order_say_the_same(order: tuple[int, ...]) -> None:
    export = sent(E.SILENT)
    for n in order:
        export = learn(export, FACTS[n], NOW, POLICY)
    assert export.sends[0].delivery is Delivery.BOUNCED
    assert export.sends[0].detail == "mailbox full"


@given(st.lists(st.sampled_from(FACTS), min_size=1))
def test_repeated_facts_say_nothing_new(facts: list[SendFact]) -> None:
    once, twice = sent(E.SILENT), sent(E.SILENT)
    for fact in facts:
        once = learn(once, fact, NOW, POLICY)
        twice = learn(learn(twice, fact, NOW, POLICY), fact, NOW, POLICY)
    assert replace(once, export_id="") == replace(twice, export_id="")


def test_a_fact_fills_in_its_send_and_leaves_the_others_alone() -> None:
    export = replace(sent(E.REFUSED, E.SILENT), status=ExportStatus.CANCELLED)
    fact = SendFact(number=2, evidence=E.ACCEPTED, message_id="m-1", delivery=Delivery.BOUNCED, detail="full")
    told = Send(
        number=2,
        mailing=1,
        started_at=NOW,
        evidence=E.ACCEPTED,
        message_id="m-1",
        delivery=Delivery.BOUNCED,
        detail="full",
    )
    assert learn(export, fact, NOW, POLICY) == replace(export, sends=(export.sends[0], told))


def test_what_is_known_of_a_send_is_not_forgotten_by_a_fact_that_knows_less() -> None:
    known = SendFact(number=1, evidence=E.ACCEPTED, message_id="m-1", delivery=Delivery.DELIVERED, detail="250 OK")
    export = learn(replace(sent(E.SILENT), status=ExportStatus.CANCELLED), known, NOW, POLICY)
    assert learn(export, SendFact(number=1, evidence=E.SILENT), NOW, POLICY) == export
    assert learn(export, SendFact(number=1, evidence=E.ACCEPTED, message_id="m-2"), NOW, POLICY) == export


@pytest.mark.parametrize("evidence", [E.REFUSED, E.DOUBTFUL, E.SILENT])
def test_what_was_not_accepted_has_no_delivery_and_says_why(evidence: Evidence) -> None:
    (send,) = learn(sent(None), SendFact(number=1, evidence=evidence, detail="500"), NOW, POLICY).sends
    assert (send.evidence, send.delivery, send.detail) == (evidence, None, "500")


def test_what_a_mailing_shows_is_what_its_last_send_shows_unless_one_was_delivered() -> None:
    def shown(*deliveries: Delivery | None, mailing: int = 1) -> Delivery | None:
        sends = [Send(number=n, mailing=1, started_at=NOW, delivery=known) for n, known in enumerate(deliveries, 1)]
        return an_export(sends=tuple(sends), mailing=mailing).delivery

    assert shown(Delivery.ACCEPTED, Delivery.BOUNCED) is Delivery.BOUNCED, "a bounce is not hidden"
    assert shown(Delivery.BOUNCED, Delivery.ACCEPTED) is Delivery.ACCEPTED
    assert shown(Delivery.BOUNCED, None) is Delivery.BOUNCED
    assert shown(Delivery.DELIVERED, Delivery.BOUNCED, Delivery.ACCEPTED) is Delivery.DELIVERED
    assert shown(Delivery.DELIVERED, Delivery.BOUNCED, mailing=2) is None


def test_a_mailing_is_delivered_when_any_of_its_sends_was() -> None:
    sends = (
        Send(number=1, mailing=1, started_at=NOW, delivery=Delivery.DELIVERED),
        Send(number=2, mailing=1, started_at=NOW, delivery=Delivery.BOUNCED),
    )
    assert an_export(sends=sends).delivery is Delivery.DELIVERED
    assert an_export(sends=sends[1:]).delivery is Delivery.BOUNCED
    assert an_export(sends=sends, mailing=2).delivery is None


def test_an_intent_names_export_and_send_and_can_be_read_back() -> None:
    export = sent(None)
    intent = send_intent(export, export.sends[0])
    assert parse_send_intent(intent) == (export.export_id, 1)


@pytest.mark.parametrize("number", [0, 7, 999_999_999])
def test_an_intent_ends_with_the_number_of_its_send_whatever_the_id_of_its_export_is(number: int) -> None:
    export = an_export(export_id="a:b:c")
    intent = send_intent(export, Send(number=number, mailing=1, started_at=NOW))
    assert parse_send_intent(intent) == ("a:b:c", number)


@pytest.mark.parametrize(
    "text", ["", "x", "x:", ":1", "x:failure", "x:-1", "x:\u0661", "x:1.0", "x:1000000000", "x:" + "9" * 5000]
)
def test_anything_else_is_no_intent(text: str) -> None:
    assert parse_send_intent(text) is None


def test_a_bounce_without_a_reason_leaves_what_was_known() -> None:
    known = SendFact(number=1, evidence=E.ACCEPTED, delivery=Delivery.ACCEPTED, detail="202 Accepted")
    bounced = SendFact(number=1, evidence=E.ACCEPTED, delivery=Delivery.BOUNCED)
    (send,) = learn(learn(sent(E.SILENT), known, NOW, POLICY), bounced, NOW, POLICY).sends
    assert (send.delivery, send.detail) == (Delivery.BOUNCED, "202 Accepted")


def test_message_ids_that_a_write_brings_are_told_each_once_and_without_those_known_before() -> None:
    before = sent(E.ACCEPTED, E.SILENT, None)
    known, silent, begun = before.sends
    old = replace(before, sends=(replace(known, message_id="m-1"), silent, begun))
    sends = (replace(known, message_id="m-1"), replace(silent, message_id="m-2"), begun)
    again = replace(begun, number=4, message_id="m-2")
    assert new_message_ids(old, replace(old, sends=(*sends, again))) == ["m-2"]
