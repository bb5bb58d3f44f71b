"""What hardly ever happens to an export, and must not matter when it does."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from memberships_export.domain.errors import ForeignRows, StorageUnavailable, UnknownExport
from memberships_export.domain.export.delivery import SendFact
from memberships_export.domain.export.record import (
    Evidence,
    Export,
    ExportStatus,
    Failure,
    Send,
    Stage,
)
from memberships_export.domain.messages.message import Message
from memberships_export.domain.messages.wake import wake_message
from memberships_export.domain.source.progress import Progress
from memberships_export.service.file_keys import part_key
from memberships_export.service.mail_events.record_mail_events import MailEvent
from memberships_export.service.record import change
from tests.factories import REQUESTED_AT, a_membership, an_export
from tests.fakes.memory import ListSource, MemoryFiles, MemoryStore, PageCall
from tests.fakes.world import LINKS, REFUSED_FOR_NOW, SILENT, World
from tests.readers import a_part

ROWS = [a_membership(n + 1) for n in range(7)]


def test_a_page_that_another_worker_stored_meanwhile_is_taken_up_instead_of_ours() -> None:
    source = ListSource(ROWS)
    world = World(source=source)
    export = world.request()
    theirs = ListSource([{**row, "name": "as they saw it"} for row in ROWS])

    def another_was_faster() -> None:
        page = theirs.page(PageCall("user-1", "3:7", 3))
        key = part_key(export, 1, "3:7")
        world.files.put_once(key, a_part(key, page, Progress(pages=1, rows=3, total=7, cursor="3:7", last_key=3)))

    source.before[2] = another_was_faster
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert world.mails[0].attachment is not None
    assert world.mails[0].attachment.content.count(b"as they saw it") == 3


class FilesThatVanish(MemoryFiles):
    """Says that a key is taken, and has nothing under it: somebody deleted it right then."""

    def __init__(self) -> None:
        super().__init__()
        self.vanishing = True

    def put_once(self, key: str, content: bytes) -> bool:
        return False if self.vanishing else super().put_once(key, content)


def test_a_page_that_vanishes_right_after_another_stored_it_is_fetched_again_later() -> None:
    world = World()
    files = FilesThatVanish()
    world.files = files
    world.services = world.over(world.ports)
    export = world.request()
    world.work()
    waiting = world.export(export)
    assert waiting.trouble is not None
    assert waiting.trouble.code == "file_missing"
    files.vanishing = False
    world.pass_time()
    assert world.export(export).status is ExportStatus.COMPLETED


def test_a_lost_file_is_made_again_before_a_link_to_it_is_mailed() -> None:
    world = World(7, mails=[REFUSED_FOR_NOW], attachment_limit=10)
    export = world.request()
    world.work()
    for key in [key for key in world.files.content if key.startswith("csv/")]:
        del world.files.content[key]
    world.pass_time()
    done = world.export(export)
    assert done.status is ExportStatus.COMPLETED
    answer = world.services.read.file_by_link(done.export_id, LINKS.url(done).rsplit("/", 1)[1])
    assert b"".join(answer.chunks).count(b"\r\n") == 8


class FilesThatCannotBeDeleted(MemoryFiles):
    readonly = True

    def delete_folder(self, prefix: str) -> None:
        if self.readonly:
            raise StorageUnavailable(f"{prefix} is read-only")
        super().delete_folder(prefix)


def test_files_that_cannot_be_deleted_do_not_undo_a_completed_export_and_are_deleted_later() -> None:
    world = World()
    files = world.files = FilesThatCannotBeDeleted()
    world.services = world.over(world.ports)
    export = world.request()
    world.work()
    world.pass_time(timedelta(days=7))
    kept = world.export(export)
    assert kept.file is not None
    assert (kept.status, kept.file.deleted, kept.files_until) == (ExportStatus.COMPLETED, True, world.clock())
    assert files.content, "nobody may read it any more, but it is still there"
    files.readonly = False
    world.pass_time(timedelta(minutes=15))
    assert not files.content
    assert world.export(export).files_until is None
    assert len(world.mails) == 1


def with_an_accepted_send(world: World) -> Export:
    """A failed export whose mail turned out to be accepted after all."""
    failure = Failure(stage=Stage.DELIVER, code="no_progress", reason="r", at=world.clock())
    export = an_export(
        status=ExportStatus.FAILED,
        stage=Stage.DELIVER,
        failure=failure,
        sends=(Send(number=1, mailing=1, started_at=world.clock(), evidence=Evidence.ACCEPTED),),
    )
    return world.store.create(export)


def test_a_redriven_export_whose_mail_was_accepted_completes_without_another_mail() -> None:
    world = World()
    export = with_an_accepted_send(world)
    desk = world.services.redrive
    world.dead_letters.add(wake_message(export))
    list(desk.redrive(desk.letters(), dry_run=False))
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert not world.mails


class BusyStore(MemoryStore):
    """Somebody else always writes first."""

    def replace(self, old: Export, new: Export) -> Export | None:
        super().replace(old, replace(old, nudges=old.nudges + 1))
        return super().replace(old, new)


def test_a_record_that_others_write_without_end_is_given_up_with_its_name() -> None:
    store = BusyStore()
    export = store.create(an_export())
    with pytest.raises(StorageUnavailable, match=f"Export {export.export_id} was written by others 50 times"):
        change(store, REQUESTED_AT, export, lambda current: replace(current, claims=current.claims + 1))


@pytest.mark.parametrize("gone", [True, False])
def test_a_record_is_decided_about_anew_until_it_is_written_or_gone(gone: bool) -> None:  # noqa: FBT001
    class WrittenMeanwhile(MemoryStore):
        writes = 0

        def replace(self, old: Export, new: Export) -> Export | None:
            self.writes += 1
            if self.writes == 1:
                super().replace(old, replace(old, nudges=7))
                if gone:
                    self.records.clear()
            return super().replace(old, new)

    def claimed(current: Export, by: int, *, more: int) -> Export:
        return replace(current, claims=current.claims + by + more)

    store = WrittenMeanwhile()
    export = store.create(an_export())
    if gone:
        with pytest.raises(UnknownExport) as unknown:
            change(store, REQUESTED_AT, export, claimed, 1, more=2)
        assert unknown.value.reason == f"There is no export {export.export_id} any more."
    else:
        written = change(store, REQUESTED_AT, export, claimed, 1, more=2)
        assert (written.nudges, written.claims) == (7, 3)


def test_a_record_deleted_under_a_worker_ends_its_work_quietly() -> None:
    source = ListSource(ROWS)
    world = World(source=source)
    world.request()
    source.before[2] = world.store.records.clear
    world.work()
    assert not world.mails
    assert not world.queue.messages


def test_a_record_deleted_before_an_event_is_noted_is_passed_over() -> None:
    world = World(mails=[SILENT])
    export = world.request()
    world.work()

    class ForgetfulStore(MemoryStore):
        def get(self, export_id: str, *, expired: bool = False) -> Export | None:
            found = super().get(export_id, expired=expired)
            self.records.clear()
            return found

    store = ForgetfulStore()
    store.records = dict(world.store.records)
    world.store = store
    events = [MailEvent(export.export_id, SendFact(number=1, evidence=Evidence.ACCEPTED))]
    assert world.over(world.ports).record_mail_events(events) == 0


def test_an_export_cancelled_right_when_it_would_fail_stays_cancelled() -> None:
    world = World()
    export = world.request()
    stored = world.store.replace(export, replace(export, stalled_claims=5))
    assert stored is not None

    class CancelledMeanwhile(MemoryStore):
        def replace(self, old: Export, new: Export) -> Export | None:
            if new.status is ExportStatus.FAILED:
                super().replace(old, replace(old, status=ExportStatus.CANCELLED, wake_at=world.clock()))
            return super().replace(old, new)

    store = CancelledMeanwhile()
    store.records = world.store.records
    world.store = store
    world.services = world.over(world.ports)
    world.work()
    assert world.export(export).status is ExportStatus.CANCELLED
    assert not world.dead_letters.letters


def test_a_worker_that_must_stop_right_when_its_export_is_cancelled_requeues_nothing() -> None:
    world = World()
    export = world.request()

    def cancelled_then_stop() -> bool:
        world.services.cancel(export.export_id, "user-1")
        return True

    world.work_once(should_stop=cancelled_then_stop)
    assert not world.queue.messages


def test_a_failure_that_two_settle_at_once_is_told_once() -> None:
    world = World(source=ListSource(ROWS, {1: ForeignRows()}))
    export = world.request()
    stale: list[Export] = []
    add = world.dead_letters.add

    def remember(message: Message) -> None:
        stale.append(world.export(export))
        add(message)

    world.dead_letters.add = remember  # type: ignore[method-assign]
    world.work()
    world.services.run.settle(stale[0])
    assert len(world.failure_mails) == 1


def test_a_cancelled_export_leaves_nothing_its_files_go_at_once_and_its_record_after_a_month() -> None:
    for steps in range(7):  # cancelled with nothing yet, with some pages, with all, with a file
        world = World(mails=[REFUSED_FOR_NOW])
        export = world.request()
        asked = count()
        world.work_once(should_stop=lambda asked=asked, steps=steps: next(asked) >= steps)  # type: ignore[misc]
        assert bool(world.files.content) == (steps > 0)
        world.services.cancel(export.export_id, "user-1")
        world.pass_time(timedelta(seconds=90))
        assert not world.files.content
        assert world.export(export).status is ExportStatus.CANCELLED
        world.pass_time(timedelta(days=29))
        assert world.store.records
        world.pass_time(timedelta(days=1))
        assert not world.store.records
