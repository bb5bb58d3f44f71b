"""What each send proved, and what may be done next."""

from dataclasses import replace
from datetime import timedelta

import pytest

from memberships_export.domain.errors import IllegalTransition
from memberships_export.domain.export.delivery import (
    AlreadyAccepted,
    AwaitEvidence,
    GiveUp,
    SendNow,
    back_on_its_way,
    may_have_arrived,
    next_step,
)
from memberships_export.domain.export.policy import AfterUnknownSend, Policy
from memberships_export.domain.export.record import (
    Evidence,
    Export,
    ExportStatus,
    Failure,
    Send,
    Stage,
    StoredFile,
)
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


QUARTER = timedelta(minutes=15)
A_FAILURE = Failure(stage=Stage.DELIVER, code="mail_refused", reason="r", at=NOW)
A_FILE = StoredFile(key="csv/1/1.csv", name="m.csv", rows=1, bytes=2, sha256="00", expires_at=NOW)


@pytest.mark.parametrize(
    "export, policy, step",
    [
        # first send
        (sent(), POLICY, SendNow(Send(number=1, mailing=1, started_at=NOW))),
        # proven not accepted: again, and nobody can get it twice
        (sent(E.REFUSED, E.REFUSED), POLICY, SendNow(Send(number=3, mailing=1, started_at=NOW))),
        (sent(E.ACCEPTED), POLICY, AlreadyAccepted()),
        (sent(E.SILENT, E.ACCEPTED), POLICY, AlreadyAccepted()),
        # may have been accepted: wait for the mail service to tell
        (sent(E.SILENT), POLICY, AwaitEvidence(NOW + QUARTER)),
        (sent(E.DOUBTFUL), POLICY, AwaitEvidence(NOW + QUARTER)),
        (sent(None), POLICY, AwaitEvidence(NOW + QUARTER)),  # the worker died
        (sent(E.SILENT), HOLD, AwaitEvidence(NOW + QUARTER)),
        # nothing was told in time: once more, marked
        (
            sent(E.SILENT, at=QUARTER),
            POLICY,
            SendNow(Send(number=2, mailing=1, started_at=NOW, possible_duplicate=True)),
        ),
        (sent(None, at=QUARTER), POLICY, SendNow(Send(number=2, mailing=1, started_at=NOW, possible_duplicate=True))),
        (
            sent(E.SILENT, E.REFUSED, at=QUARTER),
            POLICY,
            SendNow(Send(number=3, mailing=1, started_at=NOW, possible_duplicate=True)),
        ),
        # but only once
        (sent(E.SILENT, E.DOUBTFUL, at=QUARTER), POLICY, GiveUp()),
        (sent(None, E.REFUSED, None, at=QUARTER), POLICY, GiveUp()),
        (sent(E.SILENT, at=QUARTER), HOLD, GiveUp()),
        # or as often as the operator wants
        (sent(E.SILENT, at=QUARTER), replace(POLICY, max_unclear_sends=1), GiveUp()),
        (
            sent(E.SILENT, E.DOUBTFUL, at=QUARTER),
            replace(POLICY, max_unclear_sends=3),
            SendNow(Send(number=3, mailing=1, started_at=NOW, possible_duplicate=True)),
        ),
        (sent(E.SILENT, E.DOUBTFUL, None, at=QUARTER), replace(POLICY, max_unclear_sends=3), GiveUp()),
    ],
)
def test_the_next_step_follows_from_the_evidence(export: Export, policy: Policy, step: object) -> None:
    assert next_step(export, NOW, policy, repeatable=False) == step


def test_a_mailer_that_recognises_repetitions_gets_an_open_intent_again() -> None:
    export = sent(None)
    assert next_step(export, NOW, POLICY, repeatable=True) == SendNow(export.sends[0])


def test_sends_of_an_earlier_mailing_do_not_count_for_a_resend() -> None:
    export = replace(sent(E.ACCEPTED), mailing=2)
    assert next_step(export, NOW, POLICY, repeatable=False) == SendNow(Send(number=2, mailing=2, started_at=NOW))


def of_mailings(*sends: tuple[int, Evidence | None], at: timedelta = QUARTER) -> Export:
    """An export in its second mailing: each send as (mailing, evidence)."""
    made = [
        Send(number=n, mailing=mailing, started_at=NOW - at, evidence=known)
        for n, (mailing, known) in enumerate(sends, 1)
    ]
    return an_export(status=ExportStatus.RUNNING, stage=Stage.DELIVER, mailing=2, sends=tuple(made))


@pytest.mark.parametrize("earlier", [E.ACCEPTED, E.SILENT, E.DOUBTFUL, E.REFUSED, None])
@pytest.mark.parametrize(
    "current, step",
    [
        ([], SendNow(Send(number=3, mailing=2, started_at=NOW))),
        ([E.REFUSED], SendNow(Send(number=4, mailing=2, started_at=NOW))),
        ([E.SILENT], SendNow(Send(number=4, mailing=2, started_at=NOW, possible_duplicate=True))),
        ([E.SILENT, None], GiveUp()),
        ([E.ACCEPTED], AlreadyAccepted()),
    ],
)
def test_what_became_of_earlier_mailings_decides_nothing_about_this_one(
    earlier: Evidence | None, current: list[Evidence | None], step: object
) -> None:
    export = of_mailings((1, earlier), (1, earlier), *((2, known) for known in current))
    assert next_step(export, NOW, POLICY, repeatable=False) == step


@pytest.mark.parametrize("earlier", [E.ACCEPTED, E.SILENT, E.DOUBTFUL, E.REFUSED, None])
@pytest.mark.parametrize(
    "current, unclear",
    [
        ([], False),
        ([E.REFUSED], False),
        ([E.ACCEPTED], False),
        ([E.SILENT, E.ACCEPTED], False),
        ([E.SILENT], True),
        ([E.DOUBTFUL], True),
        ([None], True),
        ([E.SILENT, E.REFUSED], True),
    ],
)
def test_a_mail_may_have_arrived_when_a_send_of_this_mailing_was_neither_accepted_nor_refused(
    earlier: Evidence | None,
    current: list[Evidence | None],
    unclear: bool,  # noqa: FBT001
) -> None:
    export = of_mailings((1, earlier), *((2, known) for known in current))
    assert may_have_arrived(export) is unclear
    failed = replace(export, status=ExportStatus.FAILED, failure=A_FAILURE)
    if unclear:
        with pytest.raises(IllegalTransition, match=f"resend {export.export_id}"):
            back_on_its_way(failed, NOW, POLICY)
    else:
        assert back_on_its_way(failed, NOW, POLICY).status is ExportStatus.QUEUED


@pytest.mark.parametrize("status", [ExportStatus.QUEUED, ExportStatus.RUNNING, ExportStatus.WAITING])
def test_an_export_on_its_way_is_left_as_it_is_by_a_redrive(status: ExportStatus) -> None:
    export = replace(sent(E.SILENT), status=status)
    assert back_on_its_way(export, NOW, POLICY) is export


@pytest.mark.parametrize("size, always_link, as_link", [(100, False, False), (101, False, True), (1, True, True)])
def test_a_file_over_the_limit_and_one_that_was_refused_as_too_large_are_mailed_as_links(
    size: int,
    always_link: bool,  # noqa: FBT001
    as_link: bool,  # noqa: FBT001
) -> None:
    export = replace(sent(), file=replace(A_FILE, bytes=size), always_link=always_link)
    step = next_step(export, NOW, replace(POLICY, attachment_limit=100), repeatable=False)
    assert step == SendNow(Send(number=1, mailing=1, started_at=NOW, as_link=as_link))
