"""The rules of an export's life, one by one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from memberships_export.domain.errors import (
    FileMissing,
    IllegalTransition,
    LeaseLost,
    MembershipsRefused,
    MembershipsUnavailable,
    NoProgress,
    NotNow,
    PermanentError,
    StorageUnavailable,
)
from memberships_export.domain.export import held, lifecycle, upkeep
from memberships_export.domain.export.held import Holder
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import (
    STATUS_TEXT,
    TERMINAL,
    TRANSITIONS,
    UNFINISHED,
    Event,
    Export,
    ExportStatus,
    Lease,
    Owed,
    Stage,
    StoredFile,
    Trouble,
)
from memberships_export.domain.source.grades import Grade
from memberships_export.domain.source.progress import Progress
from tests.factories import REQUESTED_AT, an_export

NOW = REQUESTED_AT + timedelta(minutes=1)
POLICY = Policy()
TROUBLE = Trouble(code="x", reason="y", since=NOW, count=1)
A_FILE = StoredFile(key="csv/1/1.csv", name="m.csv", rows=1, bytes=2, sha256="00", expires_at=NOW + timedelta(days=7))


def holder(token: int = 1) -> Holder:
    return Holder(token, NOW, POLICY)


def running(**changes: object) -> Export:
    lease = Lease(owner="me", until=NOW + timedelta(seconds=30))
    return an_export(
        **{"status": ExportStatus.RUNNING, "token": 1, "claims": 1, "stalled_claims": 1, "lease": lease} | changes
    )


def test_every_status_has_a_text_for_the_user() -> None:
    assert set(STATUS_TEXT) == set(ExportStatus)


def test_the_table_leaves_no_unfinished_status_without_a_way_out() -> None:
    ends = {status for (status, event), to in TRANSITIONS.items() if to in TERMINAL}
    assert ends >= UNFINISHED


def test_a_cancelled_export_never_moves_again() -> None:
    assert not any(status is ExportStatus.CANCELLED for status, _ in TRANSITIONS)


# Written by hand, beside the table of the program: what may follow on what is a decision and no accident.
ALLOWED = """
            claim    checkpoint  yield   wait     wake    complete   fail    cancel     call_off   redrive  resend
queued      running  -           -       -        -       completed  failed  cancelled  completed  -        -
running     running  running     queued  waiting  -       completed  failed  cancelled  completed  -        -
waiting     running  -           -       -        queued  completed  failed  cancelled  completed  -        -
completed   -        -           -       -        -       -          -       -          -          -        queued
failed      -        -           -       -        -       completed  -       -          -          queued   queued
cancelled   -        -           -       -        -       -          -       -          -          -        -
"""


def allowed() -> list[tuple[str, str, str]]:
    events, *rows = (line.split() for line in ALLOWED.strip().splitlines())
    return [(status, event, to) for status, *cells in rows for event, to in zip(events, cells, strict=True)]


def test_the_table_knows_every_status_and_every_event() -> None:
    assert {(status, event) for status, event, _ in allowed()} == {(s, e) for s in ExportStatus for e in Event}


@pytest.mark.parametrize("status, event, to", allowed())
def test_only_what_is_allowed_happens_and_anything_else_is_refused_by_name(status: str, event: str, to: str) -> None:
    export = an_export(status=ExportStatus(status))
    if to == "-":
        with pytest.raises(IllegalTransition, match=f"^Export {export.export_id} is {status}: {event} is not possible"):
            lifecycle.move(export, Event(event))
    else:
        assert lifecycle.move(export, Event(event)) == replace(export, status=ExportStatus(to))


def test_a_claim_takes_the_lease_and_raises_the_token() -> None:
    claimed = held.claim(an_export(token=4, nudges=3), "me", NOW, POLICY)
    assert claimed.lease == Lease(owner="me", until=NOW + POLICY.lease)
    assert (claimed.token, claimed.claims, claimed.stalled_claims, claimed.nudges) == (5, 1, 1, 0)
    assert claimed.wake_at == NOW + POLICY.lease
    assert claimed.started_at == NOW


def test_the_lost_answer_to_our_own_claim_is_recognised_by_the_owner() -> None:
    export = running()
    assert held.claim(export, "me", NOW, POLICY) is export


def test_a_live_lease_cannot_be_claimed_by_another() -> None:
    with pytest.raises(NotNow) as refused:
        held.claim(running(), "other", NOW, POLICY)
    assert refused.value.until == NOW + timedelta(seconds=30)


def test_a_lease_ends_at_its_last_instant() -> None:
    later = NOW + timedelta(seconds=30)
    assert held.claim(running(), "other", later, POLICY).token == 2


def test_a_waiting_export_cannot_be_claimed_before_its_time() -> None:
    waiting = an_export(status=ExportStatus.WAITING, wake_at=NOW + timedelta(seconds=1))
    with pytest.raises(NotNow):
        held.claim(waiting, "me", NOW, POLICY)
    assert held.claim(waiting, "me", NOW + timedelta(seconds=1), POLICY).status is ExportStatus.RUNNING


def test_the_sixth_claim_without_progress_is_refused_with_the_last_trouble() -> None:
    with pytest.raises(NoProgress, match=r"5 workers in a row got no further at step fetch. The last trouble: y"):
        held.claim(an_export(stalled_claims=5, trouble=TROUBLE), "me", NOW, POLICY)


def test_a_finished_export_cannot_be_claimed_however_often_it_was() -> None:
    with pytest.raises(IllegalTransition):
        held.claim(an_export(status=ExportStatus.FAILED, stalled_claims=5), "me", NOW, POLICY)


HELD: list[Callable[[Export, Holder], Export]] = [
    held.heartbeat,
    lambda export, by: held.page_fetched(export, by, Progress(pages=1)),
    lambda export, by: held.rendered(export, by, A_FILE),
    lambda export, by: held.render_again(export, by, FileMissing()),
    lambda export, by: held.fetch_again(export, by, FileMissing()),
    held.link_only,
    held.yield_back,
    lambda export, by: held.wait(export, by, TROUBLE, NOW),
    lambda export, by: held.stumble(export, by, TROUBLE, NOW),
    lambda export, by: held.fail_held(export, by, PermanentError()),
]


@pytest.mark.parametrize("change", HELD)
def test_a_stale_token_changes_nothing(change: Callable[[Export, Holder], Export]) -> None:
    with pytest.raises(LeaseLost, match="its token is 2, not 1"):
        change(running(token=2), holder(1))


@pytest.mark.parametrize("change", HELD)
@pytest.mark.parametrize("status", sorted(set(ExportStatus) - {ExportStatus.RUNNING}))
def test_a_worker_of_an_export_that_does_not_run_changes_nothing(
    change: Callable[[Export, Holder], Export], status: ExportStatus
) -> None:
    with pytest.raises(LeaseLost):
        change(replace(running(), status=status), holder(1))


def test_every_checkpoint_renews_the_lease_and_forgets_old_trouble() -> None:
    done = held.page_fetched(running(trouble=TROUBLE), holder(), Progress(pages=1, cursor="next"))
    assert done.lease == Lease(owner="me", until=NOW + POLICY.lease)
    assert done.wake_at == NOW + POLICY.lease
    assert (done.stalled_claims, done.trouble, done.stage) == (0, None, Stage.FETCH)


def test_making_a_missing_file_anew_does_not_forget_that_it_was_missing() -> None:
    missing = held.render_again(running(trouble=TROUBLE), holder(), FileMissing())
    again = held.rendered(missing, holder(), A_FILE)
    assert again.trouble is not None
    assert (again.trouble.code, again.trouble.since, again.trouble.count) == ("file_missing", TROUBLE.since, 2)


def test_another_trouble_is_not_counted_onto_a_file_that_was_missing() -> None:
    missing = held.render_again(running(), holder(), FileMissing())
    later = lifecycle.next_trouble(missing, StorageUnavailable(), NOW + timedelta(hours=25))
    assert (later.since, later.count) == (NOW + timedelta(hours=25), 1)


def test_the_page_that_has_a_grade_was_the_last_and_ends_the_fetch() -> None:
    assert held.page_fetched(running(), holder(), Progress(pages=1, grade=Grade.ENDED)).stage is Stage.RENDER
    assert held.page_fetched(running(), holder(), Progress(pages=1, cursor="next")).stage is Stage.FETCH


def test_yielding_does_not_count_as_a_stalled_claim() -> None:
    yielded = held.yield_back(running(), holder())
    assert (yielded.status, yielded.stalled_claims, yielded.lease) == (ExportStatus.QUEUED, 0, None)


def test_waiting_forgets_stalled_claims_and_stumbling_does_not() -> None:
    assert held.wait(running(), holder(), TROUBLE, NOW).stalled_claims == 0
    assert held.stumble(running(), holder(), TROUBLE, NOW).stalled_claims == 1


def test_a_failure_says_at_which_stage_and_owes_a_dead_letter_and_a_mail() -> None:
    failed = held.fail_held(running(stage=Stage.RENDER), holder(), PermanentError("because"))
    assert failed.failure is not None
    assert (failed.failure.stage, failed.failure.reason) == (Stage.RENDER, "because")
    assert failed.owed == (Owed.DEAD_LETTER, Owed.FAILURE_MAIL)
    assert failed.lease is None


def test_debts_are_paid_one_by_one_and_only_once() -> None:
    failed = held.fail_held(running(), holder(), PermanentError())
    half = upkeep.paid(failed, Owed.DEAD_LETTER, NOW, POLICY)
    assert half.owed == (Owed.FAILURE_MAIL,)
    settled = upkeep.paid(half, Owed.FAILURE_MAIL, NOW, POLICY)
    assert (settled.owed, settled.wake_at) == ((), NOW + POLICY.keep_files)
    with pytest.raises(IllegalTransition, match="owes no failure_mail"):
        upkeep.paid(settled, Owed.FAILURE_MAIL, NOW, POLICY)


def test_a_redriven_export_keeps_its_stage_and_progress() -> None:
    progress = Progress(pages=2, rows=10, cursor="c")
    failed = held.fail_held(running(progress=progress), holder(), PermanentError())
    back = lifecycle.redrive(failed, NOW, POLICY)
    assert (back.status, back.progress, back.failure, back.owed) == (ExportStatus.QUEUED, progress, None, ())
    assert back.expires_at is None


def test_a_resend_starts_a_new_mailing_and_revokes_older_links() -> None:
    done = an_export(status=ExportStatus.COMPLETED, file=A_FILE, stage=Stage.DELIVER)
    again = lifecycle.resend(done, done.email, NOW, POLICY)
    assert (again.status, again.stage, again.mailing, again.link_generation) == (
        ExportStatus.QUEUED,
        Stage.DELIVER,
        2,
        2,
    )


@pytest.mark.parametrize("file", [None, replace(A_FILE, deleted=True)])
def test_without_a_stored_file_there_is_nothing_to_resend(file: StoredFile | None) -> None:
    with pytest.raises(IllegalTransition, match="no stored file"):
        lifecycle.resend(an_export(status=ExportStatus.COMPLETED, file=file), "member@example.org", NOW, POLICY)


def test_cancelling_revokes_links_and_schedules_the_deletion_of_files() -> None:
    cancelled = lifecycle.cancel(running(), NOW, POLICY)
    assert (cancelled.status, cancelled.link_generation, cancelled.files_until) == (
        ExportStatus.CANCELLED,
        2,
        NOW + POLICY.lease,
    )


def test_the_pause_between_nudges_doubles_up_to_a_limit() -> None:
    export, pauses = an_export(), []
    for _ in range(8):
        export = upkeep.nudged(export, NOW, POLICY)
        assert export.wake_at is not None
        pauses.append((export.wake_at - NOW).total_seconds())
    assert pauses == [10, 20, 40, 80, 160, 320, 320, 320]


def test_deleted_files_leave_the_facts_of_a_completed_export() -> None:
    done = an_export(status=ExportStatus.COMPLETED, file=A_FILE, files_until=NOW, expires_at=NOW + timedelta(days=1))
    gone = upkeep.files_deleted(done)
    assert gone.file == replace(A_FILE, deleted=True)
    assert (gone.files_until, gone.wake_at) == (None, NOW + timedelta(days=1))


def test_deleted_files_of_a_failed_export_mean_that_a_redrive_starts_over() -> None:
    failed = an_export(status=ExportStatus.FAILED, file=A_FILE, stage=Stage.DELIVER, progress=Progress(pages=3))
    gone = upkeep.files_deleted(failed)
    assert (gone.file, gone.stage, gone.progress) == (None, Stage.FETCH, Progress())


def test_troubles_are_counted_from_the_first_one() -> None:
    error = PermanentError("z")
    first = lifecycle.next_trouble(an_export(), error, NOW)
    second = lifecycle.next_trouble(an_export(trouble=first), error, NOW + timedelta(hours=1))
    assert (second.since, second.count, second.reason) == (NOW, 2, "z")


def test_a_trouble_of_another_kind_starts_its_own_time_within_that_of_all() -> None:
    outage, refusal = MembershipsUnavailable(), MembershipsRefused()
    first = lifecycle.next_trouble(an_export(), outage, NOW)
    other = lifecycle.next_trouble(an_export(trouble=first), refusal, NOW + timedelta(hours=1))
    again = lifecycle.next_trouble(an_export(trouble=other), refusal, NOW + timedelta(hours=2))
    assert (first.since, first.same_since) == (NOW, NOW)
    assert (again.since, again.same_since) == (NOW, NOW + timedelta(hours=1))


def test_a_trouble_of_an_older_record_has_been_the_same_all_along() -> None:
    older = Trouble(code=MembershipsRefused.code, reason="r", since=NOW, count=1)
    again = lifecycle.next_trouble(an_export(trouble=older), MembershipsRefused(), NOW + timedelta(hours=2))
    assert again.same_since == NOW


@pytest.mark.parametrize(
    "owner, process", [("9.box.example.org.0af3", "9.box.example.org"), (".0af3", None), ("0af3", None)]
)
def test_the_owner_of_a_lease_is_a_process_and_a_random_end_or_only_that(owner: str, process: str | None) -> None:
    assert Lease(owner=owner, until=NOW).process == process


def test_members_read_one_of_four_texts_about_an_export() -> None:
    assert {status: an_export(status=status).status_text for status in ExportStatus} == {
        ExportStatus.QUEUED: "Export in progress",
        ExportStatus.RUNNING: "Export in progress",
        ExportStatus.WAITING: "Export in progress",
        ExportStatus.COMPLETED: "Export completed",
        ExportStatus.FAILED: "Export failed",
        ExportStatus.CANCELLED: "Export cancelled",
    }
