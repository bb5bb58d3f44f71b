"""What a worker's steps write. Every field that a step does not name stays as it was."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from memberships_export.domain.errors import ExportError, FileMissing, MailRefused, NoProgress
from memberships_export.domain.export import held, lifecycle
from memberships_export.domain.export.delivery import intend
from memberships_export.domain.export.record import (
    Export,
    ExportStatus,
    Failure,
    Lease,
    Owed,
    Send,
    Stage,
)
from memberships_export.domain.source.grades import Grade
from memberships_export.domain.source.progress import Progress
from tests.unit.domain.filled_records import (
    BY,
    FINISHED,
    MISSED,
    MISSED_AGAIN,
    NOW,
    OTHER_FILE,
    POLICY,
    PROGRESS,
    QUEUED,
    RENEWED,
    RUNNING,
    SENDS,
    UNTIL,
    WAITED_FOR,
    WAITING,
    S,
)

BOTH = (Owed.DEAD_LETTER, Owed.FAILURE_MAIL)
BEAT = {"lease": RENEWED, "wake_at": RENEWED.until}
FURTHER = BEAT | {"stalled_claims": 0, "trouble": None}
TAKEN = {
    "status": S.RUNNING,
    "lease": Lease(owner="new", until=RENEWED.until),
    "token": 5,
    "claims": 4,
    "stalled_claims": 3,
    "nudges": 0,
    "wake_at": RENEWED.until,
}
OPEN, NEXT = SENDS[1], Send(number=3, mailing=2, started_at=NOW, as_link=True)
Change = Callable[[Export], Export]


def claimed(export: Export) -> Export:
    return held.claim(export, "new", NOW, POLICY)


def failing_with(error: ExportError) -> Change:
    return lambda export: lifecycle.fail(export, error, NOW, POLICY)


def failure_at(stage: Stage, code: str) -> Failure:
    return Failure(stage=stage, code=code, reason="because", at=NOW)


CHANGES: dict[str, tuple[Export, Change, dict[str, Any]]] = {
    "claim": (QUEUED, claimed, TAKEN),
    "the first claim": (replace(QUEUED, started_at=None), claimed, TAKEN | {"started_at": NOW}),
    "claim after waiting": (WAITING, claimed, TAKEN),
    "claim of a lease that ran out": (replace(RUNNING, lease=Lease("dead", NOW)), claimed, TAKEN),
    "heartbeat": (RUNNING, lambda export: held.heartbeat(export, BY), BEAT),
    "a page": (
        replace(RUNNING, stage=Stage.FETCH),
        lambda export: held.page_fetched(export, BY, replace(PROGRESS, pages=3)),
        FURTHER | {"progress": replace(PROGRESS, pages=3)},
    ),
    "the last page": (
        replace(RUNNING, stage=Stage.FETCH),
        lambda export: held.page_fetched(export, BY, replace(PROGRESS, cursor=None, grade=Grade.COUNTED)),
        FURTHER | {"progress": replace(PROGRESS, cursor=None, grade=Grade.COUNTED), "stage": Stage.RENDER},
    ),
    "rendered": (
        replace(RUNNING, stage=Stage.RENDER, file=None),
        lambda export: held.rendered(export, BY, OTHER_FILE),
        FURTHER | {"file": OTHER_FILE, "stage": Stage.DELIVER},
    ),
    "rendered after the file was missing": (
        replace(RUNNING, stage=Stage.RENDER, trouble=MISSED),
        lambda export: held.rendered(export, BY, OTHER_FILE),
        FURTHER | {"file": OTHER_FILE, "stage": Stage.DELIVER, "trouble": MISSED},
    ),
    "render again": (
        RUNNING,
        lambda export: held.render_again(export, BY, FileMissing()),
        BEAT | {"file": None, "stage": Stage.RENDER, "trouble": MISSED_AGAIN},
    ),
    "render again, once more": (
        replace(RUNNING, trouble=MISSED),
        lambda export: held.render_again(export, BY, FileMissing()),
        BEAT | {"file": None, "stage": Stage.RENDER},
    ),
    "fetch again": (
        replace(RUNNING, stage=Stage.RENDER),
        lambda export: held.fetch_again(export, BY, FileMissing()),
        BEAT | {"progress": Progress(walk=1), "stage": Stage.FETCH, "trouble": MISSED_AGAIN},
    ),
    "the profile it goes by": (
        replace(RUNNING, stage=Stage.FETCH, profile=None),
        lambda export: held.goes_by(export, BY, "8899aabbccddeeff"),
        {"profile": "8899aabbccddeeff"},
    ),
    "the id by which the memberships API knows the user": (
        replace(RUNNING, stage=Stage.FETCH, member_id=None),
        lambda export: held.known_there_as(export, BY, "cus_7"),
        {"member_id": "cus_7"},
    ),
    "another profile, because the one it went by is gone": (
        replace(RUNNING, stage=Stage.FETCH, progress=replace(PROGRESS, walk=1, restarts=2)),
        lambda export: held.by_another_profile(export, BY, None),
        BEAT | {"progress": Progress(walk=2), "profile": None, "member_id": None},
    ),
    "another walk, because rows moved": (
        replace(RUNNING, stage=Stage.FETCH, progress=replace(PROGRESS, walk=1, restarts=2)),
        lambda export: held.walk_again(export, BY),
        BEAT | {"progress": Progress(walk=2, restarts=3)},
    ),
    "link only": (
        replace(RUNNING, always_link=False),
        lambda export: held.link_only(export, BY),
        BEAT | {"always_link": True},
    ),
    "intend": (RUNNING, lambda export: intend(export, BY, NEXT), BEAT | {"sends": (*SENDS, NEXT)}),
    "intend the open one again": (
        RUNNING,
        lambda export: intend(export, BY, replace(OPEN, as_link=True)),
        BEAT | {"sends": (SENDS[0], replace(OPEN, as_link=True))},
    ),
    "intend when the missing file was read": (
        replace(RUNNING, trouble=MISSED),
        lambda export: intend(export, BY, NEXT),
        BEAT | {"sends": (*SENDS, NEXT), "trouble": None},
    ),
    "yield back": (
        RUNNING,
        lambda export: held.yield_back(export, BY),
        {"status": S.QUEUED, "lease": None, "stalled_claims": 1, "wake_at": NOW + timedelta(seconds=10)},
    ),
    "yield back without a stalled claim": (
        replace(RUNNING, stalled_claims=0),
        lambda export: held.yield_back(export, BY),
        {"status": S.QUEUED, "lease": None, "wake_at": NOW + timedelta(seconds=10)},
    ),
    "run out": (
        RUNNING,
        lambda export: held.run_out(export, BY),
        {"status": S.QUEUED, "lease": None, "wake_at": NOW + timedelta(seconds=10)},
    ),
    "wait": (
        RUNNING,
        lambda export: held.wait(export, BY, WAITED_FOR, UNTIL),
        {"status": S.WAITING, "lease": None, "stalled_claims": 0, "trouble": WAITED_FOR, "wake_at": UNTIL},
    ),
    "stumble": (
        RUNNING,
        lambda export: held.stumble(export, BY, WAITED_FOR, UNTIL),
        {"status": S.WAITING, "lease": None, "trouble": WAITED_FOR, "wake_at": UNTIL},
    ),
    "fail": (
        replace(RUNNING, stage=Stage.RENDER),
        failing_with(MailRefused("because")),
        FINISHED
        | {"status": S.FAILED, "failure": failure_at(Stage.RENDER, "mail_refused"), "owed": BOTH}
        | {"wake_at": NOW + timedelta(seconds=10)},
    ),
    "fail with what the user was told of": (
        WAITING,
        failing_with(NoProgress("because")),
        FINISHED
        | {"status": S.FAILED, "failure": failure_at(Stage.DELIVER, "no_progress"), "owed": (Owed.DEAD_LETTER,)}
        | {"wake_at": NOW + timedelta(seconds=10)},
    ),
}


@pytest.mark.parametrize("before, change, fields", CHANGES.values(), ids=CHANGES)
def test_a_change_writes_these_fields_and_no_other(before: Export, change: Change, fields: dict[str, Any]) -> None:
    assert change(before) == replace(before, **fields)


@pytest.mark.parametrize("status", [S.QUEUED, S.WAITING, S.RUNNING])
def test_what_still_owes_something_is_looked_at_again_soon_whatever_its_wake_time_was(status: ExportStatus) -> None:
    failed = failing_with(MailRefused("because"))(replace(RUNNING, status=status, wake_at=NOW + timedelta(days=300)))
    assert failed.wake_at == NOW + timedelta(seconds=10)
