"""A file has one time until which it can be had: the mail, the status and the download say the same."""

from datetime import timedelta

import pytest

from memberships_export.adapters.texts.locale_forms import moment
from memberships_export.domain.errors import FileGone, IllegalTransition
from memberships_export.domain.export.delivery import SendFact
from memberships_export.domain.export.record import Delivery, Evidence, Export, ExportStatus
from memberships_export.service.mail_events.record_mail_events import MailEvent
from tests.fakes.world import ACCEPTED, REFUSED_FOR_GOOD, REFUSED_FOR_NOW, World

EMAIL = "member@example.org"


def completed(world: World) -> Export:
    export = world.request()
    world.work()
    return world.export(export)


def expiry(export: Export) -> str:
    assert export.file is not None
    return moment(export.file.expires_at, "en", "UTC")


def test_the_time_in_the_mail_is_the_one_on_the_record_also_after_a_resend() -> None:
    world = World()
    first = completed(world)
    world.clock.advance(timedelta(days=2))
    world.services.resend(first.export_id, "user-1", EMAIL)
    world.work()
    again = world.export(first)

    assert again.file == first.file
    assert all(f"Until {expiry(again)} you can also download it" in mail.text for mail in world.mails)
    assert again.file is not None
    assert again.files_until == again.file.expires_at


def test_resends_do_not_keep_a_file_for_ever() -> None:
    world = World()
    export = completed(world)
    for _ in range(3):
        world.clock.advance(timedelta(days=2))
        world.services.resend(export.export_id, "user-1", EMAIL)
        world.work()
    world.pass_time(timedelta(days=1, seconds=1))

    assert world.files.content == {}
    with pytest.raises(IllegalTransition, match="no stored file"):
        world.services.resend(export.export_id, "user-1", EMAIL)


def test_a_file_whose_time_is_over_before_its_mail_left_is_made_anew() -> None:
    world = World(mails=[REFUSED_FOR_NOW], keep_files=timedelta(minutes=5), longest_back_off=timedelta(minutes=30))
    export = world.request()
    world.work()
    first = world.export(export)
    world.pass_time(timedelta(minutes=40))
    done = world.export(export)

    assert done.status is ExportStatus.COMPLETED
    assert first.file is not None
    assert done.file is not None
    assert done.file.expires_at > world.clock()
    assert done.file.sha256 == first.file.sha256
    assert expiry(done) in world.mails[-1].text
    assert world.services.read.file(export.export_id, "user-1").file == done.file


def test_after_its_time_a_file_is_neither_given_nor_mailed() -> None:
    world = World()
    export = completed(world)
    world.clock.advance(timedelta(days=7))

    with pytest.raises(FileGone, match="expired"):
        world.services.read.file(export.export_id, "user-1")
    world.pass_time(timedelta(seconds=1))
    assert world.files.content == {}


# --- Calling a resend off ---------------------------------------------------------------------------------------------


def test_cancelling_a_resend_leaves_the_export_completed() -> None:
    world = World()
    done = completed(world)
    world.services.resend(done.export_id, "user-1", EMAIL)
    after = world.services.cancel(done.export_id, "user-1")

    assert after.status is ExportStatus.COMPLETED
    assert (after.mailing, after.delivery) == (done.mailing, Delivery.ACCEPTED)
    assert (after.file, after.files_until) == (done.file, done.files_until)
    world.work()
    assert len(world.mails) == 1
    assert world.services.read.file(done.export_id, "user-1").file == done.file


def test_a_resend_after_one_that_was_called_off_is_a_mailing_of_its_own() -> None:
    world = World(mails=[ACCEPTED, REFUSED_FOR_NOW])
    done = completed(world)
    world.services.resend(done.export_id, "user-1", EMAIL)
    world.work()
    world.services.cancel(done.export_id, "user-1")
    world.services.resend(done.export_id, "user-1", EMAIL)
    world.work()
    again = world.export(done)

    assert [(send.mailing, send.evidence) for send in again.sends] == [
        (1, Evidence.ACCEPTED),
        (2, Evidence.REFUSED),
        (3, Evidence.ACCEPTED),
    ]
    assert (again.status, again.mailing) == (ExportStatus.COMPLETED, 3)


def test_the_link_of_a_mail_stays_revoked_by_a_resend_that_was_called_off() -> None:
    world = World()
    done = completed(world)
    world.services.resend(done.export_id, "user-1", EMAIL)

    assert world.services.cancel(done.export_id, "user-1").link_generation == done.link_generation + 1


def test_cancelling_a_resend_of_an_export_that_never_arrived_cancels_it() -> None:
    world = World(mails=[REFUSED_FOR_GOOD])
    export = world.request()
    world.work()
    assert world.export(export).status is ExportStatus.FAILED
    world.services.resend(export.export_id, "user-1", EMAIL)

    assert world.services.cancel(export.export_id, "user-1").status is ExportStatus.CANCELLED


def test_what_becomes_of_the_first_mail_is_learned_while_and_after_a_resend_is_called_off() -> None:
    world = World()
    done = completed(world)
    world.services.resend(done.export_id, "user-1", EMAIL)
    world.services.cancel(done.export_id, "user-1")
    fact = SendFact(number=1, evidence=Evidence.ACCEPTED, delivery=Delivery.DELIVERED)
    world.services.record_mail_events([MailEvent(done.export_id, fact)])

    assert world.export(done).delivery is Delivery.DELIVERED


def test_a_file_that_expires_at_the_moment_it_would_be_mailed_is_made_anew() -> None:
    world = World(mails=[REFUSED_FOR_NOW], keep_files=timedelta(minutes=20), longest_back_off=timedelta(minutes=30))
    export = world.request()
    world.work()
    first = world.export(export).file
    world.pass_time(timedelta(minutes=20))
    assert first is not None
    assert world.clock() == first.expires_at
    done = world.export(export)
    assert done.file is not None
    assert done.file.expires_at == first.expires_at + timedelta(minutes=20)
    assert [expiry(done) in mail.text for mail in world.mails] == [False, True]
