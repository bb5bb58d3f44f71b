"""The sweeper's passes."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.sqlite_queue import SqliteExportQueue
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.domain.errors import MembershipsContractBroken, MembershipsUnavailable, StorageUnavailable
from memberships_export.domain.export.record import Export, ExportStatus, Stage
from memberships_export.domain.export.sweeping import SweepAction
from memberships_export.domain.messages.message import Message
from memberships_export.service.user.request import Wish
from rig.waiting import PATIENCE_SECONDS
from tests.factories import a_membership
from tests.fakes.memory import ListSource, MemoryDeadLetters, MemoryFiles, MemoryStore
from tests.fakes.world import World


def test_a_lost_message_is_sent_again() -> None:
    world = World()
    export = world.request()
    world.queue.lose_all()
    world.pass_time(timedelta(seconds=31))
    assert world.export(export).status is ExportStatus.COMPLETED


def test_a_message_is_sent_again_once_however_many_sweepers_there_are() -> None:
    world = World()
    world.request()
    world.queue.lose_all()
    world.clock.advance(timedelta(seconds=31))
    for _ in range(3):
        world.services.sweep()
    assert len(world.queue.messages) == 1


def test_a_long_backlog_is_not_flooded() -> None:
    world = World()
    world.request()
    for _ in range(120):  # an hour in which no worker comes
        world.clock.advance(timedelta(seconds=30))
        world.services.sweep()
    assert len(world.queue.messages) <= 17


@pytest.mark.parametrize("error", [StorageUnavailable(), ValueError("a bug")])
def test_the_trouble_of_one_export_does_not_stop_the_others(error: Exception) -> None:
    world = World()
    first = world.request()
    second = world.request(user_id="user-2")
    world.queue.lose_all()
    send = world.queue.send

    def refuse_the_first(message: Message, _: Stage) -> None:
        if first.export_id in message.body:
            raise error
        send(message)

    world.queue.send = refuse_the_first  # type: ignore[method-assign, assignment]
    world.clock.advance(timedelta(seconds=31))
    world.services.sweep()
    assert [message.attributes["exportId"] for message in world.queue.messages] == [second.export_id]


class FilesOfTwo(MemoryFiles):
    """Deletes the files of one export only while those of another are being deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.together = Barrier(2, timeout=PATIENCE_SECONDS)

    def delete_folder(self, prefix: str) -> None:
        self.together.wait()
        super().delete_folder(prefix)


def test_several_exports_can_be_visited_at_once() -> None:
    world = World()
    for user_id in ("user-1", "user-2"):
        world.request(user_id=user_id)
    world.work()
    world.files = FilesOfTwo()
    world.clock.advance(timedelta(days=7, seconds=1))
    with ThreadPoolExecutor(2) as threads:
        sweep = replace(world.over(world.ports).sweep, visit_all=threads.map)
        assert sweep() == {SweepAction.DELETE_FILES: 2}


def test_files_go_after_a_week_and_the_record_after_a_month() -> None:
    world = World()
    export = world.request()
    world.work()
    world.pass_time(timedelta(days=6))
    assert world.files.content
    world.pass_time(timedelta(days=2))
    assert not world.files.content
    gone = world.export(export).file
    assert gone is not None
    assert gone.deleted
    world.pass_time(timedelta(days=23))
    assert not world.store.records


def test_a_failed_export_keeps_its_parts_for_a_redrive_for_a_week() -> None:
    rows = [a_membership(n + 1) for n in range(7)]
    world = World(source=ListSource(rows, {3: MembershipsContractBroken()}))
    world.request()
    world.work()
    world.pass_time(timedelta(days=6))
    assert len(world.files.content) == 2
    world.pass_time(timedelta(days=2))
    assert not world.files.content


def test_a_pass_tells_what_it_did() -> None:
    world = World()
    world.request()
    assert world.services.sweep() == {}
    world.queue.lose_all()
    world.clock.advance(timedelta(seconds=31))
    assert world.services.sweep() == {SweepAction.NUDGE: 1}


def test_a_message_that_waits_for_its_turn_is_not_sent_again() -> None:
    world = World()
    export = world.request()
    for _ in range(60):
        world.clock.advance(timedelta(minutes=1))
        assert world.services.sweep().get(SweepAction.NUDGE) is None
    assert len(world.queue.messages) == 1
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED


@pytest.mark.parametrize("sent_again", [0, 1])
def test_a_queue_that_knows_only_that_it_is_long_explains_a_wait_for_a_while(sent_again: int) -> None:
    world = World()
    world.request()
    world.queue.lose_all()
    world.queue.holds = lambda *_: None  # type: ignore[method-assign]
    for _ in range(700 if sent_again else 600):
        world.clock.advance(timedelta(seconds=1))
        world.services.sweep()
    assert len(world.queue.messages) == sent_again


def test_what_waited_is_woken_however_long_the_queue_is() -> None:
    world = World(source=ListSource([a_membership(1)], {1: MembershipsUnavailable("down")}))
    export = world.request()
    world.work()
    assert world.export(export).status is ExportStatus.WAITING
    world.queue.holds = lambda *_: None  # type: ignore[method-assign]
    world.pass_time(timedelta(minutes=20))
    assert world.export(export).status is ExportStatus.COMPLETED


def test_a_backlog_gets_no_further_message_of_its_exports(tmp_path: Path) -> None:
    world, database, exports = World(1), Database(tmp_path / "exports.db"), 300
    store, queue = (
        SqliteExportStore(database, world.clock),
        SqliteExportQueue(database, world.clock, timedelta(minutes=5), 5),
    )
    services = world.over(replace(world.ports, store=store, queue=queue))
    for number in range(exports):
        services.request(Wish(user_id=f"user-{number}", email="member@example.org"))
    in_hand = [queue.receive(0) for _ in range(8)]  # with workers that got no further
    for _ in range(10):
        world.clock.advance(timedelta(seconds=300))
        taken = services.sweep()
        assert taken.get(SweepAction.NUDGE) in (None, len(in_hand))
    [(messages,)] = database.read("SELECT count(*) FROM messages")
    database.close()
    assert messages == exports


def test_a_pass_takes_all_that_is_due_however_much_it_is() -> None:
    world = World(1)
    exports = [world.request(user_id=f"user-{number}") for number in range(450)]
    world.queue.lose_all()
    world.clock.advance(timedelta(seconds=31))
    assert world.services.sweep() == {SweepAction.NUDGE: len(exports)}


def test_a_pass_that_must_stop_leaves_the_rest_to_the_next() -> None:
    world = World(1)
    for number in range(3):
        world.request(user_id=f"user-{number}")
    world.queue.lose_all()
    world.clock.advance(timedelta(seconds=31))
    assert world.services.sweep(lambda: len(world.queue.messages) == 1) == {SweepAction.NUDGE: 1}
    assert world.services.sweep() == {SweepAction.NUDGE: 2}


@pytest.mark.parametrize("error", [StorageUnavailable(), ValueError("a bug")])
def test_a_pass_goes_on_although_what_is_due_can_not_even_be_put_off(error: Exception) -> None:
    world = World(1)
    first = world.request()
    world.request(user_id="user-2")
    world.queue.lose_all()
    world.clock.advance(timedelta(seconds=31))
    store = world.store.replace

    def refuse_the_first(old: Export, new: Export) -> Export | None:
        if old.export_id == first.export_id:
            raise error
        return store(old, new)

    world.store.replace = refuse_the_first  # type: ignore[method-assign]
    assert world.services.sweep() == {SweepAction.NUDGE: 1}


class StoreThatLags(MemoryStore):
    """Its index shows what was written before the latest write."""

    def __init__(self) -> None:
        super().__init__()
        self._before = dict[str, Export]()

    def replace(self, old: Export, new: Export) -> Export | None:
        self._before = {old.export_id: old}
        return super().replace(old, new)

    def due(self, now: datetime, limit: int) -> Sequence[Export]:
        return [*self._before.values(), *super().due(now, limit)][:limit]


def test_an_index_that_lags_does_not_end_a_pass_early() -> None:
    world = World(1)
    world.store = StoreThatLags()
    world.services = world.over(world.ports)
    for number in range(450):
        world.request(user_id=f"user-{number}")
    world.queue.lose_all()
    world.clock.advance(timedelta(seconds=31))
    assert world.services.sweep() == {SweepAction.NUDGE: 450}


def test_what_a_failed_export_owes_is_paid_in_the_pass_itself() -> None:
    world = World(source=ListSource([], {1: MembershipsContractBroken()}))
    export = world.request()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MemoryDeadLetters, "add", _unavailable)
        with pytest.raises(StorageUnavailable):
            world.work()
    world.queue.lose_all()
    world.clock.advance(timedelta(seconds=31))
    assert world.services.sweep() == {SweepAction.SETTLE: 1}
    assert world.export(export).owed == ()
    assert (len(world.dead_letters.letters), len(world.failure_mails)) == (1, 1)


def _unavailable(*_: object) -> None:
    raise StorageUnavailable("locked")


class StoreThatShowsTwoBatchesInTurn(MemoryStore):
    """Its index never notices that anything changed."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def due(self, now: datetime, limit: int) -> Sequence[Export]:
        del now
        self.asked += 1
        assert self.asked < 10, "a pass comes to an end"
        everything = list(self.records.values())
        return everything[:limit] if self.asked % 2 else everything[limit : 2 * limit]


def test_a_pass_over_an_index_that_stands_still_comes_to_an_end() -> None:
    world = World(1)
    store = StoreThatShowsTwoBatchesInTurn()
    world.store = store
    world.services = world.over(world.ports)
    for number in range(400):
        world.request(user_id=f"user-{number}")
    world.queue.lose_all()
    world.clock.advance(timedelta(seconds=31))
    assert world.services.sweep() == {SweepAction.NUDGE: 400}
    assert store.asked == 3
