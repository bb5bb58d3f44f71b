"""The dead letter desk."""

from dataclasses import replace
from datetime import timedelta

import pytest

from memberships_export.domain.errors import MembershipsContractBroken
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.messages.message import Message
from memberships_export.domain.messages.wake import wake_message
from memberships_export.service.operator.redrive import Redriven, RedriveOutcome
from tests.factories import a_membership
from tests.fakes.memory import ListSource
from tests.fakes.world import DOUBTFUL, REFUSED_FOR_GOOD, SILENT, World

ROWS = [a_membership(n + 1) for n in range(7)]


def redrive_all(world: World, *, dry_run: bool = False) -> list[Redriven]:
    desk = world.services.redrive
    return list(desk.redrive(desk.letters(), dry_run=dry_run))


def failed_at_page(page: int) -> tuple[World, Export]:
    world = World(source=ListSource(ROWS, {page: MembershipsContractBroken("The API was misconfigured.")}))
    export = world.request()
    world.work()
    assert world.export(export).status is ExportStatus.FAILED
    return world, export


def test_a_redriven_export_goes_on_from_its_checkpoint() -> None:
    world, export = failed_at_page(3)
    world.source.calls.clear()
    (outcome,) = redrive_all(world)
    assert (outcome.outcome, outcome.text) == (RedriveOutcome.REDRIVEN, "Goes on at step fetch.")
    assert not world.dead_letters.letters
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert [call.cursor for call in world.source.calls] == ["6:7"]


def test_an_export_whose_mail_was_refused_is_redriven_without_fetching_or_rendering() -> None:
    world = World(7, mails=[REFUSED_FOR_GOOD])
    export = world.request()
    world.work()
    world.source.calls.clear()
    redrive_all(world)
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert not world.source.calls


def test_a_dry_run_says_the_same_and_changes_nothing() -> None:
    world, export = failed_at_page(2)
    before = world.export(export)
    dry = redrive_all(world, dry_run=True)
    assert world.export(export) == before
    assert len(world.dead_letters.letters) == 1
    assert not world.queue.messages
    assert dry == redrive_all(world)


def test_a_letter_whose_export_is_done_is_removed_and_mails_nothing() -> None:
    world, export = failed_at_page(2)
    world.dead_letters.add(world.dead_letters.letters[0].message)
    redrive_all(world)
    world.work()
    world.dead_letters.add(wake_message(world.export(export)))
    (outcome,) = redrive_all(world)
    world.work()
    assert outcome.outcome is RedriveOutcome.FINISHED
    assert len(world.mails) == 1
    assert not world.dead_letters.letters


def test_killed_between_its_steps_a_redrive_can_be_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    for step in ("send", "_remove"):
        world, export = failed_at_page(2)

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(world.queue if step == "send" else world.dead_letters, step, killed)
            with pytest.raises(KeyboardInterrupt):
                redrive_all(world)
        redrive_all(world)
        world.work()
        assert world.export(export).status is ExportStatus.COMPLETED
        assert len(world.mails) == 1
        assert not world.dead_letters.letters


def test_a_mail_that_may_have_arrived_is_never_sent_by_a_redrive() -> None:
    world = World(7, mails=[SILENT, SILENT])
    export = world.request()
    world.work()
    world.pass_time(steps=4)
    assert world.export(export).status is ExportStatus.FAILED
    (outcome,) = redrive_all(world)
    world.work()
    assert outcome.outcome is RedriveOutcome.REFUSED
    assert f"memberships-export exports resend {export.export_id}" in outcome.text
    assert len(world.mails) == 2
    assert len(world.dead_letters.letters) == 1


def test_a_refusal_after_a_mail_that_may_have_arrived_does_not_open_the_way_to_a_second_one() -> None:
    world = World(7, mails=[DOUBTFUL, REFUSED_FOR_GOOD])
    export = world.request()
    world.work()
    world.pass_time(steps=2)
    failed = world.export(export)
    assert failed.failure is not None
    assert failed.failure.code == "mail_refused"
    (outcome,) = redrive_all(world)
    world.work()
    assert outcome.outcome is RedriveOutcome.REFUSED
    assert len(world.mails) == 2


def test_a_message_nobody_understands_stays_and_says_why() -> None:
    world = World()
    world.queue.send(Message("not json"))
    world.work()
    (outcome,) = redrive_all(world)
    assert (outcome.outcome, outcome.export_id) == (RedriveOutcome.REFUSED, None)
    assert "not JSON" in outcome.text


def test_a_letter_whose_record_is_gone_stays_and_says_why() -> None:
    world, _ = failed_at_page(2)
    world.store.records.clear()
    (outcome,) = redrive_all(world)
    assert outcome.outcome is RedriveOutcome.REFUSED
    assert "record of this export is gone" in outcome.text


def test_a_plain_message_that_never_got_a_record_starts_from_the_beginning() -> None:
    world = World()
    world.dead_letters.add(Message("x", {"userId": "user-1", "email": "plain@example.org"}))
    (outcome,) = redrive_all(world)
    assert outcome.text == "Starts from the beginning."
    world.work()
    assert len(world.mails) == 1


def test_an_export_asked_for_anew_meanwhile_is_not_run_beside_it() -> None:
    world, _ = failed_at_page(2)
    world.request()
    (outcome,) = redrive_all(world)
    assert outcome.outcome is RedriveOutcome.REFUSED
    assert "Another export of the same user is under way" in outcome.text
    assert len(world.dead_letters.letters) == 1


def test_a_letter_of_an_export_that_is_still_under_way_only_wakes_it() -> None:
    world = World()
    export = world.request()
    world.queue.lose_all()
    world.dead_letters.add(wake_message(export))
    redrive_all(world)
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED


def test_after_its_files_expired_a_redriven_export_starts_over() -> None:
    world, export = failed_at_page(3)
    world.pass_time(timedelta(days=8))
    redrive_all(world)
    world.work()
    done = world.export(export)
    assert (done.status, done.progress.rows) == (ExportStatus.COMPLETED, 7)


def test_letters_are_read_and_purged_together() -> None:
    world, export = failed_at_page(2)
    world.queue.send(Message("not json"))
    world.work()
    desk = world.services.redrive
    assert len(desk.letters()) == 2
    assert desk.purge() == 2
    assert desk.letters() == []
    assert world.export(export).failure is not None


def test_the_address_of_a_letter_cannot_be_changed_by_whoever_writes_letters() -> None:
    world, export = failed_at_page(2)
    world.dead_letters.purge()
    world.dead_letters.add(wake_message(replace(export, email="thief@example.org")))
    (outcome,) = redrive_all(world)
    world.work()
    assert outcome.outcome is RedriveOutcome.REFUSED
    assert not world.mails


def test_no_more_than_a_hundred_thousand_letters_are_read_at_once() -> None:
    world, _ = failed_at_page(2)
    world.dead_letters.letters *= 100_001
    assert len(world.services.redrive.letters()) == 100_000
