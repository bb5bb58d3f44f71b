"""The mail that tells of a failure: owed until it left, and not for ever."""

from datetime import timedelta

import pytest

from memberships_export.domain.errors import MembershipsContractBroken
from memberships_export.domain.export.record import Evidence, Export, ExportStatus, Owed
from memberships_export.domain.mail.mail import Mail, SendResult
from tests.fakes.memory import ListSource
from tests.fakes.world import REFUSED_FOR_GOOD, REFUSED_FOR_NOW, SILENT, World


def failing(world: World) -> Export:
    export = world.request()
    world.work()
    assert world.export(export).status is ExportStatus.FAILED
    return world.export(export)


def world_of(*mails: SendResult) -> World:
    return World(source=ListSource([], {1: MembershipsContractBroken()}), mails=mails)


def broken(_: Mail) -> SendResult:
    raise AttributeError("'Group' object has no attribute 'local_part'")


def test_a_mail_that_breaks_the_mailer_is_owed_and_sent_when_the_mailer_works() -> None:
    world = world_of()
    world.mailer.script = [broken, broken]
    export = failing(world)

    assert export.owed == (Owed.FAILURE_MAIL,)
    world.pass_time(timedelta(minutes=1), steps=3)
    assert world.export(export).owed == ()
    assert len(world.failure_mails) == 3, "two that broke, one that left"


def test_what_breaks_the_mailer_is_told_in_the_log_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    world = world_of()
    world.mailer.script = [broken]
    export = failing(world)

    assert caplog.messages[-1] == (
        f"export={export.export_id} event=failure_mail_not_sent detail=A bug in the mailer (AttributeError)."
    )


def test_a_mail_that_breaks_the_mailer_each_time_is_given_up() -> None:
    world = world_of()
    world.mailer.script = [broken] * 100
    export = failing(world)
    world.pass_time(timedelta(hours=1), steps=30)

    assert world.export(export).owed == ()
    assert len(world.failure_mails) == 5


def test_a_broken_mail_leaves_the_dead_letter_where_it_is() -> None:
    world = world_of()
    world.mailer.script = [broken] * 100
    failing(world)
    world.pass_time(timedelta(hours=1), steps=8)

    assert len(world.dead_letters.letters) == 1


def test_a_mail_that_was_refused_for_now_is_sent_later() -> None:
    world = world_of(REFUSED_FOR_NOW)
    export = failing(world)
    world.pass_time(timedelta(minutes=1))

    assert world.export(export).owed == ()
    assert len(world.failure_mails) == 2


@pytest.mark.parametrize("answer", [REFUSED_FOR_GOOD, SILENT, SendResult(evidence=Evidence.DOUBTFUL)])
def test_a_mail_that_may_have_left_or_never_will_is_not_sent_again(answer: SendResult) -> None:
    world = world_of(answer)
    export = failing(world)
    world.pass_time(timedelta(hours=1), steps=3)

    assert world.export(export).owed == ()
    assert len(world.failure_mails) == 1


def test_the_pauses_between_the_tries_grow() -> None:
    world = world_of()
    world.mailer.script = [broken] * 100
    export = failing(world)
    pauses = []
    for _ in range(4):
        due = world.export(export).wake_at
        assert due is not None
        pauses.append((due - world.clock()).total_seconds())
        world.pass_time(due - world.clock())

    assert pauses == [10, 20, 40, 80]


def test_a_failure_after_a_redrive_is_told_again_if_the_first_mail_never_left() -> None:
    world = world_of()
    world.mailer.script = [broken] * 5
    world.source.before = dict.fromkeys(range(1, 9), MembershipsContractBroken())
    failing(world)
    world.pass_time(timedelta(hours=1), steps=8)
    list(world.services.redrive.redrive_all(dry_run=False))
    world.work()

    assert len(world.failure_mails) == 6
