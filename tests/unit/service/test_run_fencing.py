"""A worker that lost its export, to another worker or to a cancellation, changes nothing."""

from datetime import timedelta

import pytest

from memberships_export.domain.errors import (
    ExportError,
    MembershipsContractBroken,
    MembershipsUnavailable,
)
from memberships_export.domain.export.record import Delivery, Evidence, ExportStatus
from memberships_export.domain.mail.mail import Mail, SendResult
from tests.factories import a_membership
from tests.fakes.memory import ListSource
from tests.fakes.world import World

ROWS = [a_membership(n + 1) for n in range(7)]


def test_a_worker_whose_export_was_cancelled_stops_at_its_next_write() -> None:
    source = ListSource(ROWS)
    world = World(source=source)
    export = world.request()
    source.before[2] = lambda: world.services.cancel(export.export_id, "user-1")
    world.work()
    assert world.export(export).status is ExportStatus.CANCELLED
    assert len(source.calls) == 2
    assert not world.mails
    world.pass_time(timedelta(minutes=2))
    assert not world.files.content, "the parts are deleted"


def test_a_stale_worker_changes_nothing() -> None:
    source = ListSource(ROWS)
    world = World(source=source)
    export = world.request()

    def another_takes_over() -> None:
        world.clock.advance(timedelta(minutes=2))
        world.services.sweep()
        world.work()

    source.before[2] = another_takes_over
    world.work()
    done = world.export(export)
    assert (done.status, done.token) == (ExportStatus.COMPLETED, 2)
    assert len(world.mails) == 1


def test_a_fenced_out_worker_still_reports_that_its_mail_was_accepted() -> None:
    world = World()

    def slow_success(mail: Mail) -> SendResult:
        world.clock.advance(timedelta(minutes=2))
        world.services.sweep()
        world.work()  # another worker claims, finds the open send and waits for evidence
        return SendResult(evidence=Evidence.ACCEPTED, message_id=mail.intent)

    world.mailer.script.append(slow_success)
    export = world.request()
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert len(world.mails) == 1


def test_a_cancelled_export_whose_mail_got_through_stays_cancelled_and_says_so() -> None:
    world = World()

    def cancelled_meanwhile(mail: Mail) -> SendResult:
        world.services.cancel(export.export_id, "user-1")
        return SendResult(evidence=Evidence.ACCEPTED, message_id=mail.intent)

    world.mailer.script.append(cancelled_meanwhile)
    export = world.request()
    world.work()
    assert world.export(export).status is ExportStatus.CANCELLED
    assert world.export(export).delivery is Delivery.ACCEPTED


@pytest.mark.parametrize("error", [MembershipsUnavailable(), MembershipsContractBroken(), KeyError("x")])
def test_trouble_of_a_worker_that_lost_its_lease_is_nobodys_trouble(error: Exception) -> None:
    source = ListSource(ROWS)
    world = World(source=source)
    export = world.request()

    def cancelled_then_trouble() -> None:
        world.services.cancel(export.export_id, "user-1")
        raise error

    source.before[2] = cancelled_then_trouble
    world.work()
    assert world.export(export).status is ExportStatus.CANCELLED
    assert isinstance(error, ExportError | KeyError)
