"""What the log says, line by line: an operator searches for these events, and alarms count some of them."""

from datetime import timedelta

import pytest

from memberships_export.domain.errors import ForeignRows, StorageUnavailable
from memberships_export.domain.export.delivery import SendFact
from memberships_export.domain.export.record import Delivery, Evidence
from memberships_export.domain.mail.mail import SendResult
from memberships_export.domain.messages.message import Message
from memberships_export.domain.messages.wake import wake_message
from memberships_export.service.mail_events.record_mail_events import MailEvent
from memberships_export.service.user.request import Wish
from tests.factories import a_membership
from tests.fakes.log import Log
from tests.fakes.memory import ListSource
from tests.fakes.world import DOUBTFUL, REFUSED_FOR_GOOD, REFUSED_FOR_NOW, SILENT, World

ROWS = [a_membership(n + 1) for n in range(4)]
A_PASS = "INFO oldest_unfinished_seconds=31 event=sweep"


FETCHED = [
    "INFO export=ID token=1 stage=fetch event=claimed",
    "INFO export=ID stage=fetch seconds=S event=stage_done",
    "INFO export=ID stage=render seconds=S event=stage_done",
    "INFO export=ID send=1 as_link=False event=sending",
]


def test_an_export_that_goes_well(log: Log) -> None:
    world = World(ROWS)
    export = world.request()
    assert log.lines() == ["INFO export=ID event=requested"]
    world.work()
    assert log.lines() == [
        *FETCHED,
        "INFO export=ID send=1 evidence=accepted event=sent",
        "INFO export=ID stage=deliver seconds=S event=stage_done",
        "INFO export=ID status=completed event=left",
    ]
    fact = SendFact(number=1, evidence=Evidence.ACCEPTED, delivery=Delivery.DELIVERED)
    for _ in range(2):
        world.services.record_mail_events([MailEvent(export.export_id, fact), MailEvent("unknown", fact)])
    assert log.lines() == ["INFO export=ID send=1 delivery=delivered event=mail_event"], "repeats are not logged"


def test_an_export_that_joins_another_under_a_new_address(log: Log) -> None:
    world = World(ROWS)
    world.request()
    log.lines()
    for _ in range(2):
        world.services.request(Wish(user_id="user-1", email="new@example.org"))
    joined = "INFO export=ID event=joined"
    assert log.lines() == [joined, "INFO export=ID event=address_changed", joined]


def test_a_message_that_cannot_be_sent_or_whose_record_cannot_be_reached(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(ROWS)

    def unavailable(*_: object) -> None:
        raise StorageUnavailable("locked")

    with monkeypatch.context() as patch:
        patch.setattr(world.queue, "send", unavailable)
        export = world.request()
    assert log.lines() == ["WARNING export=ID event=message_not_sent reason=locked"]
    world.queue.send(wake_message(export))
    with monkeypatch.context() as patch:
        patch.setattr(world.store, "get", unavailable)
        world.work()
    assert log.lines() == ["WARNING message=ID code=storage_unavailable event=given_back reason=locked"]


def test_a_message_nobody_can_act_on(log: Log) -> None:
    world = World(ROWS)
    world.queue.send(Message("rubbish"))
    world.work()
    assert log.lines() == ["WARNING message=ID event=dead_letter reason=The message body is not JSON."]


def test_trouble_that_passes_and_a_failure_with_its_redrive(log: Log) -> None:
    world = World(mails=[REFUSED_FOR_NOW, REFUSED_FOR_GOOD, REFUSED_FOR_GOOD], rows=ROWS)
    export = world.request()
    log.lines()
    world.work()
    until = world.export(export).wake_at
    assert until is not None
    reason = "The mail service refused the mail: 429 too many requests"
    assert log.lines() == [
        *FETCHED,
        "WARNING export=ID send=1 evidence=refused event=not_sent",
        f"WARNING export=ID code=mail_refused_for_now until={until:%FT%T}+00:00 event=waiting reason={reason}",
        "INFO export=ID status=waiting event=left",
    ]
    world.clock.advance(timedelta(seconds=31))
    world.services.sweep()
    assert log.lines() == [A_PASS, "INFO export=ID event=swept action=nudge"]
    world.work()
    failed = "ERROR export=ID code=mail_refused event=failed reason=The mail service refused the mail: 400 bad request"
    assert log.lines() == [
        "INFO export=ID token=2 stage=deliver event=claimed",
        "INFO export=ID send=2 as_link=False event=sending",
        "WARNING export=ID send=2 evidence=refused event=not_sent",
        failed,
        "WARNING export=ID event=failure_mail_not_sent detail=400 bad request",
        "INFO export=ID status=failed event=left",
    ]
    list(world.services.redrive.redrive_all(dry_run=True))
    assert log.lines() == []
    list(world.services.redrive.redrive_all(dry_run=False))
    assert log.lines() == ["INFO export=ID event=redrive outcome=redriven"]


def test_a_letter_that_was_moved_back(log: Log) -> None:
    world = World(source=ListSource(ROWS, {1: ForeignRows()}))
    world.request()
    world.work()
    world.queue.send(world.dead_letters.letters[0].message)
    log.lines()
    world.work()
    assert log.lines()[:2] == [
        "INFO export=ID event=redrive outcome=redriven",
        "INFO export=ID token=2 stage=fetch event=claimed",
    ]


def test_a_moved_letter_that_has_to_stay_one(log: Log) -> None:
    world = World(source=ListSource(ROWS, {1: ForeignRows()}))
    world.request()
    world.work()
    (letter,) = world.dead_letters.letters
    world.request()
    world.queue.lose_all()
    world.queue.send(letter.message)
    log.lines()
    world.work()
    (line,) = log.lines()
    assert line.startswith("WARNING export=ID event=not_redriven reason=Another export of the same user is under way")


def test_how_long_a_step_took(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([10.0, 12.5, 20.0, 20.25, 30.0, 30.001])
    monkeypatch.setattr("memberships_export.service.worker.run.monotonic", lambda: next(moments))
    world = World(ROWS)
    world.request()
    with caplog.at_level("INFO", logger="memberships_export"):
        world.work()
    found = [line.partition("seconds=")[2].split()[0] for line in caplog.messages if "seconds=" in line]
    assert found == ["2.500", "0.250", "0.001"]


def test_a_resend_on_purpose(log: Log) -> None:
    world = World(ROWS)
    export = world.request()
    world.work()
    log.lines()
    world.services.resend(export.export_id, "user-1", "member@example.org")
    assert log.lines() == ["INFO export=ID mailing=2 event=resent"]


@pytest.mark.parametrize("answer", [SILENT, DOUBTFUL], ids=["silent", "doubtful"])
def test_a_send_without_proof_does_not_read_as_sent(log: Log, answer: SendResult) -> None:
    world = World(ROWS, mails=[answer])
    world.request()
    world.work()
    sends = [line for line in log.lines() if "evidence=" in line]
    assert sends == [f"WARNING export=ID send=1 evidence={answer.evidence} event=sent_unconfirmed"]
