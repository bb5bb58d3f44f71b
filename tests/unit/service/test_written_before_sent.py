"""A mail is put into words before its send is noted: what cannot be written leaves nothing to doubt."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from memberships_export.domain.errors import MembershipsContractBroken
from memberships_export.domain.export.record import Export, ExportStatus, Owed
from memberships_export.domain.mail.compose import Written
from memberships_export.domain.mail.facts import Facts
from memberships_export.ports import MailWriter
from tests.fakes.memory import ListSource
from tests.fakes.world import World


@dataclass
class BrokenAtFirst:
    """Writes mails once it was asked so many times."""

    writer: MailWriter
    broken: int
    asked: list[Facts] = field(default_factory=list)

    def write(self, facts: Facts) -> Written:
        self.asked.append(facts)
        if len(self.asked) <= self.broken:
            raise KeyError("no such filter")
        return self.writer.write(facts)


def broken_at_first(world: World, times: int) -> BrokenAtFirst:
    writer = BrokenAtFirst(world.ports.mail_writer, times)
    world.services = world.over(replace(world.ports, mail_writer=writer))
    return writer


def working(world: World) -> Export:
    export = world.request()
    world.work()
    return world.export(export)


def test_a_mail_that_cannot_be_written_leaves_no_send_and_is_written_again_later() -> None:
    world = World()
    broken_at_first(world, times=1)
    waiting = working(world)
    assert waiting.trouble
    assert (waiting.status, waiting.trouble.code, waiting.sends) == (ExportStatus.WAITING, "internal_error", ())

    world.pass_time(timedelta(minutes=1))
    done = world.export(waiting)
    assert (done.status, len(done.sends), done.sends[0].possible_duplicate) == (ExportStatus.COMPLETED, 1, False)
    assert len(world.mails) == 1


def test_a_mail_about_a_failure_that_cannot_be_written_is_owed_and_written_again_later() -> None:
    world = World(source=ListSource([], {1: MembershipsContractBroken()}))
    writer = broken_at_first(world, times=2)
    failed = working(world)
    assert (failed.status, failed.owed, world.failure_mails) == (ExportStatus.FAILED, (Owed.FAILURE_MAIL,), [])

    world.pass_time(timedelta(minutes=1), steps=3)
    assert world.export(failed).owed == ()
    assert (len(writer.asked), len(world.failure_mails)) == (3, 1)
