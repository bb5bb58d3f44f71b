"""Which use case notes what in the audit log, and what happens when it cannot."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from memberships_export.domain.audit import Action, Actor, AuditQuery, Channel, Origin, Outcome
from memberships_export.domain.errors import (
    IllegalTransition,
    MembershipsContractBroken,
    StorageUnavailable,
    UnknownExport,
)
from memberships_export.domain.export.delivery import SendFact
from memberships_export.domain.export.record import Delivery, Evidence, Export, ExportStatus
from memberships_export.domain.mail.mail import SendResult
from memberships_export.service.mail_events.record_mail_events import MailEvent
from tests.fakes.log import Log
from tests.fakes.world import LINKS, World

EMAIL = "member@example.org"
MEMBER = Origin(actor=Actor.MEMBER, who="user-1", channel=Channel.API, ip="192.0.2.0/24")
LINK = Origin(actor=Actor.MEMBER, channel=Channel.LINK, ip="192.0.2.0/24")
OPERATOR = Origin(actor=Actor.OPERATOR, who="jo", channel=Channel.CLI)
PROVIDER = Origin(actor=Actor.PROVIDER, channel=Channel.WEBHOOK)
AWAY = StorageUnavailable("the disk is full")


def a_finished_export(world: World) -> Export:
    export = world.request()
    world.work()
    return world.export(export)


def a_failed_export(world: World) -> Export:
    world.source.before[1] = MembershipsContractBroken("It answered 404.")
    export = world.request()
    world.work()
    assert world.dead_letters.letters
    return world.export(export)


def noted(world: World) -> list[tuple[Action, Outcome, str]]:
    return [(entry.action, entry.outcome, entry.export_id) for entry in world.audit.entries]


def by_token(world: World, export: Export) -> None:
    world.services.read.file(export.export_id, "user-1", MEMBER)


def by_link(world: World, export: Export) -> None:
    world.services.read.file_by_link(export.export_id, LINKS.url(export).rsplit("/", 1)[1], LINK)


def test_an_export_from_request_to_mail_notes_nothing() -> None:
    world = World()

    a_finished_export(world)
    world.pass_time()

    assert world.audit.entries == []


def test_a_cancel_is_noted() -> None:
    world = World()
    export = world.request()

    world.services.cancel(export.export_id, "user-1", MEMBER)

    (entry,) = world.audit.entries
    assert (entry.action, entry.outcome, entry.actor) == (Action.EXPORT_CANCELLED, Outcome.DONE, Actor.MEMBER)
    assert (entry.export_id, entry.ip) == (export.export_id, "192.0.2.0/24")


def test_a_resend_is_noted() -> None:
    world = World()
    export = a_finished_export(world)

    world.services.resend(export.export_id, "user-1", EMAIL, MEMBER)

    assert noted(world) == [(Action.EXPORT_RESENT, Outcome.DONE, export.export_id)]


def test_what_is_refused_is_not_noted() -> None:
    world = World()
    export = a_finished_export(world)

    with pytest.raises(IllegalTransition):
        world.services.cancel(export.export_id, "user-1", MEMBER)
    with pytest.raises(UnknownExport):
        world.services.cancel(export.export_id, "user-2", MEMBER)
    with pytest.raises(UnknownExport):
        world.services.read.file_by_link(export.export_id, "guessed", LINK)

    assert world.audit.entries == []


@pytest.mark.parametrize("download, action", [(by_token, Action.FILE_DOWNLOADED), (by_link, Action.LINK_OPENED)])
def test_a_download_is_noted_when_the_file_is_handed_out(
    download: Callable[[World, Export], None], action: Action
) -> None:
    world = World()
    export = a_finished_export(world)

    download(world, export)

    assert noted(world) == [(action, Outcome.DONE, export.export_id)]


@pytest.mark.parametrize("download, action", [(by_token, Action.FILE_DOWNLOADED), (by_link, Action.LINK_OPENED)])
def test_a_member_gets_the_file_also_while_nothing_can_be_noted(
    download: Callable[[World, Export], None], action: Action, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    export = a_finished_export(world)
    world.audit.trouble = AWAY
    caplog.clear()

    download(world, export)

    assert Log(caplog).lines() == [
        f"WARNING export=ID action={action} ip=192.0.2.0/24 event=not_noted reason=the disk is full"
    ]


def test_who_only_looks_whether_there_is_a_file_is_not_noted() -> None:
    world = World()
    export = a_finished_export(world)

    world.services.read.file(export.export_id, "user-1", MEMBER, to_read=False)

    assert world.audit.entries == []


def test_a_cancel_or_a_resend_that_cannot_be_noted_changes_nothing() -> None:
    world = World()
    done, under_way = a_finished_export(world), world.request("user-2")
    world.audit.trouble = AWAY

    with pytest.raises(StorageUnavailable):
        world.services.cancel(under_way.export_id, "user-2", MEMBER)
    with pytest.raises(StorageUnavailable):
        world.services.resend(done.export_id, "user-1", EMAIL, MEMBER)

    assert (world.export(under_way), world.export(done)) == (under_way, done)


@pytest.mark.parametrize("movable", [False, True])
def test_each_redriven_export_is_noted(*, movable: bool) -> None:
    world = World()
    export = a_failed_export(world)
    world.dead_letters.back_to = world.queue if movable else None

    list(world.services.redrive.redrive_all(OPERATOR, dry_run=True))
    assert world.audit.entries == []
    list(world.services.redrive.redrive_all(OPERATOR, dry_run=False))

    (entry,) = world.audit.entries
    assert (entry.action, entry.outcome, entry.who) == (Action.DLQ_REDRIVEN, Outcome.DONE, "jo")
    assert entry.export_id == export.export_id
    assert entry.about


@pytest.mark.parametrize("movable", [False, True])
def test_a_redrive_that_cannot_be_noted_changes_nothing(*, movable: bool) -> None:
    world = World()
    export = a_failed_export(world)
    world.dead_letters.back_to = world.queue if movable else None
    world.audit.trouble = AWAY

    with pytest.raises(StorageUnavailable):
        list(world.services.redrive.redrive_all(OPERATOR, dry_run=False))

    assert world.export(export) == export
    assert len(world.dead_letters.letters) == 1
    assert world.queue.messages == []


def test_a_purge_is_noted_with_the_number_of_letters_and_refused_when_it_cannot_be() -> None:
    world = World()
    a_failed_export(world)
    world.audit.trouble = AWAY
    with pytest.raises(StorageUnavailable):
        world.services.redrive.purge(OPERATOR)
    assert len(world.dead_letters.letters) == 1

    world.audit.trouble = None
    world.services.redrive.purge(OPERATOR)

    (entry,) = world.audit.entries
    assert (entry.action, entry.outcome, entry.detail) == (Action.DLQ_PURGED, Outcome.DONE, "letters=1")


def test_an_event_that_decides_an_export_is_noted_and_any_other_is_not() -> None:
    world = World(mails=[SendResult(evidence=Evidence.SILENT, detail="no answer")])
    export = world.request()
    world.work()
    assert world.export(export).status is ExportStatus.WAITING

    accepted = MailEvent(export.export_id, SendFact(number=1, evidence=Evidence.ACCEPTED))
    delivered = MailEvent(export.export_id, SendFact(number=1, evidence=Evidence.ACCEPTED, delivery=Delivery.DELIVERED))
    for event in (accepted, accepted, delivered):
        world.services.record_mail_events([event], PROVIDER)

    assert noted(world) == [(Action.MAIL_PROVEN, Outcome.DONE, export.export_id)]
    assert world.audit.entries[0].actor is Actor.PROVIDER


def test_an_event_that_cannot_be_noted_is_not_taken_so_that_it_comes_again() -> None:
    world = World(mails=[SendResult(evidence=Evidence.SILENT, detail="no answer")])
    export = world.request()
    world.work()
    before = world.export(export)
    world.audit.trouble = AWAY

    with pytest.raises(StorageUnavailable):
        world.services.record_mail_events(
            [MailEvent(export.export_id, SendFact(number=1, evidence=Evidence.ACCEPTED))], PROVIDER
        )

    assert world.export(export) == before


def test_whoever_reads_the_log_is_noted_in_it_and_nobody_reads_it_unnoted() -> None:
    world = World()
    by_token(world, a_finished_export(world))
    a_second_passes(world)

    page = world.services.read_audit(AuditQuery(), OPERATOR, "user-1")

    assert [entry.action for entry in page.entries] == [Action.AUDIT_READ, Action.FILE_DOWNLOADED]
    assert page.entries[0].about == page.entries[1].who == page.entries[1].about
    world.audit.trouble = AWAY
    with pytest.raises(StorageUnavailable):
        world.services.read_audit(AuditQuery(before=page.entries[0].id), OPERATOR)


def a_second_passes(world: World) -> None:
    world.clock.advance(timedelta(seconds=1))


def test_the_sweeper_forgets_entries_after_a_year(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world = World()
    by_token(world, a_finished_export(world))
    world.clock.advance(timedelta(days=364))
    world.services.sweep()
    assert len(world.audit.entries) == 1

    world.clock.advance(timedelta(days=1, seconds=1))
    caplog.clear()
    world.services.sweep()

    assert world.audit.entries == []
    assert "INFO event=audit_forgotten count=1" in Log(caplog).lines()


def test_a_log_that_is_away_does_not_stop_the_sweeper(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()

    def away(_: object) -> int:
        raise AWAY

    monkeypatch.setattr(world.audit, "forget_before", away)
    world.services.sweep()

    assert "WARNING event=audit_not_forgotten reason=the disk is full" in Log(caplog).lines()
