"""What a power cut may take back is named; everything else waits for the disk, also what nobody has thought of yet."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from memberships_export.domain.errors import FileMissing, MembershipsUnavailable
from memberships_export.domain.export.delivery import SendFact, intend, learn
from memberships_export.domain.export.held import (
    Holder,
    claim,
    fetch_again,
    goes_by,
    heartbeat,
    page_fetched,
    rendered,
    wait,
    walk_again,
    yield_back,
)
from memberships_export.domain.export.lifecycle import cancel, fail, next_trouble, readdress, redrive, resend
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.power_cut import may_be_lost
from memberships_export.domain.export.record import Evidence, Export, ExportStatus, Owed, Send, StoredFile
from memberships_export.domain.export.timeline import downloaded, noted
from memberships_export.domain.export.upkeep import (
    abandoned,
    files_deleted,
    files_going,
    left_alone,
    nudged,
    paid,
    put_off,
    rested,
    tried_sooner,
)
from memberships_export.domain.source.progress import Progress
from tests.factories import REQUESTED_AT, an_export

NOW, POLICY = REQUESTED_AT + timedelta(minutes=5), Policy()
HOLDER = Holder(1, NOW, POLICY)
FILE = StoredFile(key="csv/1/1.csv", name="1.csv", rows=1, bytes=9, sha256="ab", expires_at=NOW + timedelta(days=7))
SEND = Send(number=1, mailing=1, started_at=NOW)
FACT = SendFact(number=1, evidence=Evidence.ACCEPTED)
TROUBLE = MembershipsUnavailable()

QUEUED = an_export()
CLAIMED = claim(QUEUED, "worker", NOW, POLICY)
SENDING = replace(CLAIMED, file=FILE, sends=(SEND,))
WAITING = wait(CLAIMED, HOLDER, next_trouble(CLAIMED, TROUBLE, NOW), NOW)
COMPLETED = learn(SENDING, FACT, NOW, POLICY)
FAILED = fail(CLAIMED, TROUBLE, NOW, POLICY)

Changed = tuple[Export, Callable[[Export], Export]]

DONE_AGAIN: dict[str, Changed] = {
    "claimed": (QUEUED, lambda export: claim(export, "worker", NOW, POLICY)),
    "claimed after a wait": (WAITING, lambda export: claim(export, "worker", NOW, POLICY)),
    "a page": (CLAIMED, lambda export: page_fetched(export, HOLDER, Progress(pages=1))),
    "heartbeat": (CLAIMED, lambda export: heartbeat(export, replace(HOLDER, now=NOW + timedelta(seconds=50)))),
    "walk again": (CLAIMED, lambda export: walk_again(export, HOLDER)),
    "abandoned": (CLAIMED, lambda export: abandoned(export, NOW)),
    "nudged": (QUEUED, lambda export: nudged(export, NOW, POLICY)),
    "put off": (QUEUED, lambda export: put_off(export, NOW, POLICY)),
    "rested": (QUEUED, lambda export: rested(export, NOW)),
    "left alone": (FAILED, lambda export: left_alone(export, NOW, POLICY)),
}
RELIED_ON: dict[str, Changed] = {
    "chose its profile": (CLAIMED, lambda export: goes_by(export, HOLDER, "0123456789abcdef")),
    "lost its parts": (CLAIMED, lambda export: fetch_again(export, HOLDER, FileMissing())),
    "rendered": (CLAIMED, lambda export: rendered(export, HOLDER, FILE)),
    "send intent": (replace(SENDING, sends=()), lambda export: intend(export, HOLDER, SEND)),
    "outcome": (SENDING, lambda export: learn(export, FACT, NOW, POLICY)),
    "another address": (QUEUED, lambda export: readdress(export, "other@example.org")),
    "waiting": (CLAIMED, lambda export: wait(export, HOLDER, next_trouble(export, TROUBLE, NOW), NOW)),
    "stopped in good order": (CLAIMED, lambda export: yield_back(export, HOLDER)),
    "failed": (CLAIMED, lambda export: fail(export, TROUBLE, NOW, POLICY)),
    "dead letter paid": (FAILED, lambda export: paid(export, Owed.DEAD_LETTER, NOW, POLICY)),
    "cancelled": (CLAIMED, lambda export: cancel(export, NOW, POLICY)),
    "redriven": (FAILED, lambda export: redrive(export, NOW, POLICY)),
    "resent": (COMPLETED, lambda export: resend(export, "member@example.org", NOW, POLICY)),
    "retried by an operator": (WAITING, lambda export: tried_sooner(export, NOW, POLICY)),
    "downloaded": (COMPLETED, lambda export: downloaded(export, NOW, "link")),
    "files going": (COMPLETED, lambda export: files_going(export, NOW, POLICY)),
    "files gone": (files_going(COMPLETED, NOW, POLICY), files_deleted),
}


def lost(changed: Changed) -> bool:
    old, change = changed
    new = change(old)
    assert new != old
    return may_be_lost(old, replace(noted(old, new, NOW), revision="another"))


@pytest.mark.parametrize("changed", DONE_AGAIN.values(), ids=DONE_AGAIN)
def test_what_whoever_comes_next_does_again_may_be_lost(changed: Changed) -> None:
    assert lost(changed)


@pytest.mark.parametrize("changed", RELIED_ON.values(), ids=RELIED_ON)
def test_what_somebody_outside_relies_on_may_not_be_lost(changed: Changed) -> None:
    assert not lost(changed)


def test_of_one_write_all_must_be_of_no_consequence() -> None:
    new = replace(claim(QUEUED, "worker", NOW, POLICY), email="other@example.org")

    assert QUEUED.status is ExportStatus.QUEUED
    assert not may_be_lost(QUEUED, new)
