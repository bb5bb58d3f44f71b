"""An export of one page: from the answer to the file without a part, and without a write of its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count

import pytest

from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.export.record import Export, ExportStatus, Stage
from memberships_export.ports import FileSink
from memberships_export.service.worker.assembly import assemble_workers
from tests.fakes.memory import MemoryFiles, MemoryStore
from tests.fakes.world import LINKS, REFUSED_FOR_NOW, World, attachment
from tests.life.crashing import Crash, Moments


class CountingStore(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.writes = list[tuple[ExportStatus, Stage, int, bool]]()

    def replace(self, old: Export, new: Export) -> Export | None:
        self.writes.append((new.status, new.stage, new.progress.pages, new.file is not None))
        return super().replace(old, new)


class FilesOnAFullDisk(MemoryFiles):
    full = True

    @contextmanager
    def writing(self, key: str) -> Iterator[FileSink]:
        if self.full:
            raise StorageUnavailable("The disk is full.")
        with super().writing(key) as sink:
            yield sink


def a_world(rows: int = 3, **how: object) -> World:
    world = World(rows, **how)  # type: ignore[arg-type]
    world.store = CountingStore()
    world.services = world.over(world.ports)
    return world


@pytest.mark.parametrize("rows", [0, 3])
def test_it_is_claimed_mailed_and_done_in_three_writes_and_nothing_is_stored_but_its_file(rows: int) -> None:
    world = a_world(rows)
    export = world.request()
    world.work()
    assert isinstance(world.store, CountingStore)
    assert world.store.writes == [
        (ExportStatus.RUNNING, Stage.FETCH, 0, False),
        (ExportStatus.RUNNING, Stage.DELIVER, 1, True),
        (ExportStatus.COMPLETED, Stage.DELIVER, 1, True),
    ]
    assert [key.split("/")[0] for key in world.files.content] == ["csv"]
    assert world.export(export).progress.rows == rows


def test_a_worker_that_stops_before_the_file_leaves_a_record_that_knows_of_no_page() -> None:
    world = a_world()
    export = world.request()
    world.work_once(should_stop=iter([False, True]).__next__)
    stopped = world.export(export)
    assert (stopped.status, stopped.stage, stopped.progress.pages) == (ExportStatus.QUEUED, Stage.FETCH, 0)
    assert world.files.content == {}
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert len(world.source.calls) == 2


def test_a_disk_that_has_no_room_for_the_file_is_waited_for() -> None:
    world = a_world()
    world.files = FilesOnAFullDisk()
    world.services = world.over(world.ports)
    export = world.request()
    world.work()
    waiting = world.export(export)
    assert (waiting.status, waiting.stage, waiting.progress.pages) == (ExportStatus.WAITING, Stage.FETCH, 0)
    assert waiting.trouble
    assert waiting.trouble.reason == "The disk is full."
    pauses = [pause_of(world, export)]
    for _ in range(4):
        world.pass_time()
        pauses.append(pause_of(world, export))
    assert [trouble_count for trouble_count, _ in pauses] == [1, 2, 3, 4, 5]
    assert pauses[-1][1] > 3 * pauses[0][1], "longer and longer, as any trouble"
    world.files.full = False
    world.pass_time()
    assert world.export(export).status is ExportStatus.COMPLETED


def pause_of(world: World, export: Export) -> tuple[int, timedelta]:
    """How often the export met its trouble, and for how long it waits now."""
    waiting = world.export(export)
    assert waiting.trouble
    assert waiting.wake_at
    return waiting.trouble.count, waiting.wake_at - world.clock()


def test_where_another_worker_renders_the_page_is_stored() -> None:
    world = a_world()
    for stages in ({Stage.FETCH}, {Stage.RENDER, Stage.DELIVER}):
        workers = assemble_workers(world.ports, world.policy, LINKS, frozenset(stages))
        if Stage.FETCH in stages:
            export = world.request()
        received = world.queue.receive(0)
        assert received
        world.settle_message(received, workers.run(received, lambda: False))
        assert any(key.startswith("parts/") for key in world.files.content)
    assert world.export(export).status is ExportStatus.COMPLETED
    assert len(world.source.calls) == 1


class FilesThatLoseParts(MemoryFiles):
    def read(self, key: str) -> bytes | None:
        return None if key.startswith("parts/") else super().read(key)


@pytest.mark.parametrize("rows", [3, 7])
def test_where_another_worker_renders_a_part_that_is_always_lost_is_waited_for_and_counted(rows: int) -> None:
    world = World(rows)
    world.files = FilesThatLoseParts()
    export = world.request()
    fetching, rendering = (
        assemble_workers(world.ports, world.policy, LINKS, stages)
        for stages in (frozenset({Stage.FETCH}), frozenset({Stage.RENDER, Stage.DELIVER}))
    )
    while (received := world.queue.receive(0)) is not None:
        workers = fetching if world.export(export).stage is Stage.FETCH else rendering
        world.settle_message(received, workers.run(received, lambda: False))
    waiting = world.export(export)
    assert waiting.trouble
    assert (waiting.status, waiting.trouble.code) == (ExportStatus.WAITING, "file_missing")
    assert waiting.progress.walk <= 2


@pytest.mark.parametrize("spoiled", ["gone", "damaged"])
def test_a_file_that_is_not_what_it_was_is_made_of_what_the_api_has_now(spoiled: str) -> None:
    world = a_world(mails=[REFUSED_FOR_NOW])
    export = world.request()
    world.work()
    (key,) = world.files.content
    if spoiled == "gone":
        del world.files.content[key]
    else:
        world.files.content[key] = world.files.content[key].replace(b"Gold", b"Cold")
    world.source.rows[0]["name"] = "Silver Plan"  # type: ignore[index]  # a dict of this test
    world.pass_time()
    done = world.export(export)
    assert (done.status, done.progress.walk, len(world.source.calls)) == (ExportStatus.COMPLETED, 1, 2)
    assert b"Silver Plan" in attachment(world.mails[-1])


def test_a_worker_that_always_dies_over_the_file_is_found_out() -> None:
    world = a_world()
    export = world.request()
    for _ in range(8):
        moments = Moments(None)
        services = world.over(moments.over(world.ports))
        world.services.sweep()
        while (received := world.queue.receive(0)) is not None:
            try:
                services.run(received, _dies_when_it_renders(moments))
            except Crash:
                break
        world.clock.advance(timedelta(hours=1))
    failed = world.export(export)
    assert failed.failure
    assert (failed.status, failed.failure.code) == (ExportStatus.FAILED, "no_progress")


def _dies_when_it_renders(moments: Moments) -> Callable[[], bool]:
    """Ask twice whether to stop, before the page and before the file: then the worker is dead."""
    asked = count(1)

    def should_stop() -> bool:
        moments.dead = next(asked) > 1
        if moments.dead:
            raise Crash
        return False

    return should_stop
