"""A restored record does not know what was mailed after the backup: nothing is mailed again without saying so."""

from dataclasses import replace
from datetime import timedelta

import pytest

from memberships_export.domain.export.after_restore import maybe_mailed
from memberships_export.domain.export.delivery import (
    AlreadyAccepted,
    AwaitEvidence,
    GiveUp,
    SendFact,
    SendNow,
    learn,
    next_step,
)
from memberships_export.domain.export.policy import AfterUnknownSend, Policy
from memberships_export.domain.export.record import Evidence, Export, ExportStatus, Send, Stage
from tests.factories import REQUESTED_AT as NOW
from tests.factories import an_export

POLICY = Policy()
HOLD = replace(POLICY, after_unknown_send=AfterUnknownSend.HOLD)
LATER = NOW + POLICY.evidence_wait


def sent(*evidence: Evidence | None, status: ExportStatus = ExportStatus.QUEUED) -> Export:
    sends = [Send(number=n, mailing=1, started_at=NOW, evidence=known) for n, known in enumerate(evidence, 1)]
    return an_export(status=status, stage=Stage.DELIVER, sends=tuple(sends))


@pytest.mark.parametrize("status", [ExportStatus.QUEUED, ExportStatus.RUNNING, ExportStatus.WAITING])
@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("repeatable", [True, False])
def test_it_is_mailed_once_more_after_a_while_as_a_possible_duplicate(
    status: ExportStatus, stage: Stage, *, repeatable: bool
) -> None:
    export = maybe_mailed(an_export(status=status, stage=stage), NOW)

    assert next_step(export, NOW, POLICY, repeatable=repeatable) == AwaitEvidence(LATER)
    step = next_step(export, LATER, POLICY, repeatable=repeatable)
    assert isinstance(step, SendNow)
    assert (step.send.number, step.send.possible_duplicate) == (2, True)


def test_it_is_not_mailed_at_all_where_such_mails_are_held() -> None:
    assert next_step(maybe_mailed(an_export(), NOW), LATER, HOLD, repeatable=False) == GiveUp()


def test_what_the_mail_service_tells_of_the_mail_that_was_forgotten_completes_it() -> None:
    export = maybe_mailed(an_export(), NOW)

    known = learn(export, SendFact(number=1, evidence=Evidence.ACCEPTED), NOW, POLICY)

    assert known.status is ExportStatus.COMPLETED
    assert next_step(known, LATER, POLICY, repeatable=False) == AlreadyAccepted()


def test_what_was_refused_before_the_backup_may_have_been_accepted_after_it() -> None:
    export = maybe_mailed(sent(Evidence.REFUSED), NOW)

    assert [send.evidence for send in export.sends] == [Evidence.REFUSED, Evidence.SILENT]


@pytest.mark.parametrize("evidence", [None, Evidence.SILENT, Evidence.DOUBTFUL, Evidence.ACCEPTED])
def test_a_record_that_cannot_be_mailed_silently_stays_as_it_is(evidence: Evidence | None) -> None:
    export = sent(evidence)

    assert maybe_mailed(export, LATER) == export


def test_a_resend_under_way_counts_by_itself() -> None:
    export = replace(sent(Evidence.ACCEPTED), mailing=2)

    assert [(send.number, send.mailing) for send in maybe_mailed(export, NOW).sends] == [(1, 1), (2, 2)]


@pytest.mark.parametrize("status", [ExportStatus.COMPLETED, ExportStatus.FAILED, ExportStatus.CANCELLED])
def test_what_is_finished_mails_nothing_by_itself(status: ExportStatus) -> None:
    export = an_export(status=status)

    assert maybe_mailed(export, NOW + timedelta(days=1)) == export


def test_restored_twice_is_restored_once() -> None:
    export = maybe_mailed(an_export(), NOW)

    assert maybe_mailed(export, LATER) == export
