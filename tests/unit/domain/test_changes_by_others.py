"""What users, operators, the sweeper and evidence write. Every field that a change does not name stays as it was."""

from collections.abc import Callable
from dataclasses import Field, fields, replace
from datetime import timedelta
from typing import Any

import pytest

from memberships_export.domain.export import lifecycle, upkeep
from memberships_export.domain.export.record import (
    Export,
    Owed,
    Stage,
)
from memberships_export.domain.source.progress import Progress
from tests.unit.domain.filled_records import (
    CANCELLED,
    COMPLETED,
    FAILED,
    FILE,
    FINISHED,
    LEASE,
    NOW,
    POLICY,
    QUEUED,
    RUNNING,
    SENDS,
    TROUBLE,
    UNTIL,
    WAITING,
    S,
)

FRESH = {
    "status": S.QUEUED,
    "lease": None,
    "started_at": None,
    "stalled_claims": 0,
    "nudges": 0,
    "trouble": None,
    "failure": None,
    "owed": (),
    "failure_mails": 0,
    "finished_at": None,
    "files_until": None,
    "expires_at": None,
    "wake_at": NOW + timedelta(seconds=10),
}
LATER = NOW + timedelta(hours=2)
Change = Callable[[Export], Export]


def paying(owed: Owed) -> Callable[[Export], Export]:
    return lambda export: upkeep.paid(export, owed, NOW, POLICY)


CHANGES: dict[str, tuple[Export, Change, dict[str, Any]]] = {
    "cancel": (
        replace(RUNNING, sends=()),
        lambda export: lifecycle.cancel(export, NOW, POLICY),
        FINISHED
        | {"status": S.CANCELLED, "trouble": None, "link_generation": 4}
        | {"files_until": NOW + timedelta(seconds=90), "wake_at": NOW + timedelta(seconds=90)},
    ),
    "cancel a resend": (
        replace(RUNNING, mailing=2, sends=RUNNING.sends[:1]),
        lambda export: lifecycle.cancel(export, NOW, POLICY),
        FINISHED
        | {"status": S.COMPLETED, "trouble": None, "mailing": 1}
        | {"files_until": FILE.expires_at, "wake_at": FILE.expires_at},
    ),
    "complete": (
        RUNNING,
        lambda export: lifecycle.complete(export, NOW, POLICY),
        FINISHED
        | {"status": S.COMPLETED, "trouble": None}
        | {"files_until": FILE.expires_at, "wake_at": FILE.expires_at},
    ),
    "complete after a failure": (
        replace(FAILED, file=None),
        lambda export: lifecycle.complete(export, NOW, POLICY),
        FINISHED
        | {"status": S.COMPLETED, "trouble": None, "failure": None, "owed": ()}
        | {"wake_at": NOW + timedelta(days=7)},
    ),
    "redrive": (replace(FAILED, lease=LEASE), lambda export: lifecycle.redrive(export, NOW, POLICY), FRESH),
    "resend": (
        replace(COMPLETED, stage=Stage.FETCH),
        lambda export: lifecycle.resend(export, export.email, NOW, POLICY),
        FRESH | {"stage": Stage.DELIVER, "mailing": 3, "link_generation": 4, "told": None},
    ),
    "resend to another address": (
        COMPLETED,
        lambda export: lifecycle.resend(export, "new@example.org", NOW, POLICY),
        FRESH
        | {"mailing": 3, "link_generation": 4, "told": None}
        | {"email": "new@example.org", "earlier_emails": ("old@example.org", "member@example.org")},
    ),
    "readdress": (
        replace(RUNNING, sends=RUNNING.sends[:1], earlier_emails=("old@example.org",)),
        lambda export: lifecycle.readdress(export, "new@example.org"),
        {"email": "new@example.org", "earlier_emails": ("old@example.org", "member@example.org")},
    ),
    "readdress back": (
        replace(QUEUED, sends=RUNNING.sends[:1], earlier_emails=("old@example.org",)),
        lambda export: lifecycle.readdress(export, "old@example.org"),
        {"email": "old@example.org", "earlier_emails": ("member@example.org",)},
    ),
    "readdress to the same": (
        replace(QUEUED, sends=RUNNING.sends[:1]),
        lambda export: lifecycle.readdress(export, "member@example.org"),
        {},
    ),
    "readdress when a mail was sent": (RUNNING, lambda export: lifecycle.readdress(export, "new@example.org"), {}),
    "readdress when it is over": (
        replace(FAILED, sends=()),
        lambda export: lifecycle.readdress(export, "new@example.org"),
        {},
    ),
    "resend after a failure": (
        FAILED,
        lambda export: lifecycle.resend(export, export.email, NOW, POLICY),
        FRESH | {"mailing": 3, "link_generation": 4, "told": None},
    ),
    "the dead letter is paid": (
        FAILED,
        paying(Owed.DEAD_LETTER),
        {"owed": (Owed.FAILURE_MAIL,), "wake_at": NOW + timedelta(seconds=10)},
    ),
    "the mail is paid first": (
        FAILED,
        paying(Owed.FAILURE_MAIL),
        {
            "owed": (Owed.DEAD_LETTER,),
            "told": "mail_refused",
            "failure_mails": 2,
            "wake_at": NOW + timedelta(seconds=10),
        },
    ),
    "the last debt is paid": (
        replace(FAILED, owed=(Owed.FAILURE_MAIL,), files_until=UNTIL),
        paying(Owed.FAILURE_MAIL),
        {"owed": (), "told": "mail_refused", "failure_mails": 2, "wake_at": UNTIL},
    ),
    "the dead letter is paid, and nothing else was owed": (
        replace(FAILED, owed=(Owed.DEAD_LETTER,), files_until=UNTIL),
        paying(Owed.DEAD_LETTER),
        {"owed": (), "wake_at": UNTIL},
    ),
    "the mail is paid, and the record has lost why it failed": (
        replace(FAILED, failure=None),
        paying(Owed.FAILURE_MAIL),
        {"owed": (Owed.DEAD_LETTER,), "failure_mails": 2, "wake_at": NOW + timedelta(seconds=10)},
    ),
    "nudged": (
        QUEUED,
        lambda export: upkeep.nudged(export, NOW, POLICY),
        {"nudges": 5, "wake_at": NOW + timedelta(seconds=160)},
    ),
    "nudged out of waiting": (
        WAITING,
        lambda export: upkeep.nudged(export, NOW, POLICY),
        {"status": S.QUEUED, "nudges": 5, "wake_at": NOW + timedelta(seconds=160)},
    ),
    "nudged out of a lease that ran out": (
        replace(RUNNING, nudges=0),
        lambda export: upkeep.nudged(export, NOW, POLICY),
        {"nudges": 1, "wake_at": NOW + timedelta(seconds=10)},
    ),
    "abandoned by a process that died": (
        RUNNING,
        lambda export: upkeep.abandoned(export, NOW),
        {"lease": replace(LEASE, until=NOW), "wake_at": NOW},
    ),
    "the clock was set back": (
        replace(WAITING, wake_at=LATER + timedelta(minutes=5), sends=(SENDS[0], replace(SENDS[1], started_at=LATER))),
        lambda export: upkeep.clock_set_back(export, LATER, NOW),
        {"wake_at": NOW + timedelta(minutes=5), "sends": (SENDS[0], replace(SENDS[1], started_at=NOW))},
    ),
    "the clock was set back, with nothing to wait for": (
        replace(QUEUED, wake_at=None, sends=SENDS[:1]),
        lambda export: upkeep.clock_set_back(export, LATER, NOW),
        {"wake_at": NOW},
    ),
    "the clock was set back, in trouble of an older record": (
        replace(QUEUED, wake_at=LATER, trouble=replace(TROUBLE, since=LATER)),
        lambda export: upkeep.clock_set_back(export, LATER, NOW),
        {"wake_at": NOW, "trouble": replace(TROUBLE, since=NOW)},
    ),
    "the clock was set back, in trouble": (
        replace(QUEUED, wake_at=LATER - timedelta(minutes=5), trouble=replace(TROUBLE, since=LATER, same_since=LATER)),
        lambda export: upkeep.clock_set_back(export, LATER, NOW),
        {"wake_at": NOW, "trouble": replace(TROUBLE, since=NOW, same_since=NOW)},
    ),
    "put off for the first time": (
        replace(FAILED, nudges=0),
        lambda export: upkeep.put_off(export, NOW, POLICY),
        {"nudges": 1, "wake_at": NOW},
    ),
    "put off again": (
        replace(FAILED, nudges=3),
        lambda export: upkeep.put_off(export, NOW, POLICY),
        {"nudges": 4, "wake_at": NOW + timedelta(seconds=40)},
    ),
    "put off for the longest time": (
        replace(FAILED, nudges=99),
        lambda export: upkeep.put_off(export, NOW, POLICY),
        {"nudges": 100, "wake_at": NOW + timedelta(minutes=15)},
    ),
    "left alone": (
        FAILED,
        lambda export: upkeep.left_alone(export, NOW, POLICY),
        {"wake_at": NOW + timedelta(minutes=15)},
    ),
    "the mail is owed again": (
        replace(FAILED, owed=(), told="mail_refused", failure_mails=2),
        lambda export: upkeep.owed_again(export, NOW, POLICY),
        {"owed": (Owed.FAILURE_MAIL,), "told": None, "wake_at": NOW + timedelta(seconds=20)},
    ),
    "the mail is not owed for ever": (
        replace(FAILED, owed=(), told="mail_refused", failure_mails=5),
        lambda export: upkeep.owed_again(export, NOW, POLICY),
        {"told": None},
    ),
    "files are going": (
        COMPLETED,
        lambda export: upkeep.files_going(export, NOW, POLICY),
        {"file": replace(FILE, deleted=True), "wake_at": NOW + timedelta(minutes=15)},
    ),
    "parts are going": (
        replace(CANCELLED, file=None),
        lambda export: upkeep.files_going(export, NOW, POLICY),
        {"wake_at": NOW + timedelta(minutes=15)},
    ),
    "files are deleted": (
        COMPLETED,
        upkeep.files_deleted,
        {"file": replace(FILE, deleted=True), "nudges": 0, "files_until": None, "wake_at": COMPLETED.expires_at},
    ),
    "files of a failed export are deleted": (
        FAILED,
        upkeep.files_deleted,
        {"file": None, "progress": Progress(), "stage": Stage.FETCH}
        | {"files_until": None, "nudges": 0, "wake_at": FAILED.expires_at},
    ),
}


@pytest.mark.parametrize("field", fields(Export), ids=lambda field: field.name)
def test_these_records_fill_every_field_so_that_a_change_that_forgets_one_is_seen(field: Field[Any]) -> None:
    assert any(getattr(record, field.name) not in (field.default, ()) for record in (RUNNING, FAILED))


@pytest.mark.parametrize("before, change, fields", CHANGES.values(), ids=CHANGES)
def test_a_change_writes_these_fields_and_no_other(before: Export, change: Change, fields: dict[str, Any]) -> None:
    assert change(before) == replace(before, **fields)
