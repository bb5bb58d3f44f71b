"""One page ahead: the next page is asked for before the last one is worked on, and never more than that."""

import pytest

from memberships_export.domain.errors import MembershipsContractBroken
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.domain.source.profile import KnownProfile
from memberships_export.ports import Awaited
from tests.factories import a_membership
from tests.fakes.awaited import Came
from tests.fakes.memory import ListSource, MemoryFiles, MemoryStore
from tests.fakes.world import World

ROWS = [a_membership(number + 1) for number in range(7)]
Events = list[str]


class Page:
    """An Awaited that tells what becomes of it."""

    def __init__(self, came: Came, cursor: str, events: Events) -> None:
        self._came, self._cursor, self._events = came, cursor, events
        self._open = True

    def answer(self) -> Answer:
        self._open = False
        self._events.append(f"read {self._cursor}")
        return self._came.answer()

    def drop(self) -> None:
        if self._open:
            self._events.append(f"dropped {self._cursor}")
        self._open = False


class TellingSource(ListSource):
    def __init__(self, events: Events) -> None:
        super().__init__(ROWS)
        self.events = events

    def ask(self, call: Call, profile: KnownProfile) -> Awaited:  # type: ignore[override]  # a fake of its own
        came = super().ask(call, profile)
        cursor = self.calls[-1].cursor or "first"
        self.events.append(f"asked {cursor}")
        return Page(came, cursor, self.events)


class TellingFiles(MemoryFiles):
    def __init__(self, events: Events) -> None:
        super().__init__()
        self.events = events

    def put_once(self, key: str, content: bytes) -> bool:
        self.events.append(f"stored {key.split('-')[-2][-1]}")
        return super().put_once(key, content)


class TellingStore(MemoryStore):
    def __init__(self, events: Events) -> None:
        super().__init__()
        self.events = events

    def replace(self, old: Export, new: Export) -> Export | None:
        if new.progress.pages > old.progress.pages:
            self.events.append(f"on record {new.progress.pages - 1}")
        return super().replace(old, new)


def a_world(source: ListSource | None = None) -> tuple[World, Events]:
    events = Events()
    world = World(source=source or TellingSource(events))
    world.files, world.store = TellingFiles(events), TellingStore(events)
    world.services = world.over(world.ports)
    if isinstance(world.source, TellingSource):
        world.source.events = events
    return world, events


def test_the_next_page_is_under_way_before_a_page_is_stored_and_never_more_than_one() -> None:
    world, events = a_world()
    world.request()
    world.work()
    assert events == [
        *("asked 3:7", "stored 0", "on record 0"),
        *("read 3:7", "asked 6:7", "stored 1", "on record 1"),
        *("read 6:7", "stored 2", "on record 2"),
    ]


def test_a_worker_that_stops_lets_go_of_the_page_under_way() -> None:
    world, events = a_world()
    world.request()
    world.work_once(should_stop=iter([False, True]).__next__)
    assert events == ["asked 3:7", "stored 0", "on record 0", "dropped 3:7"]


def test_a_page_that_cannot_be_believed_lets_go_of_the_next_one_and_is_not_stored() -> None:
    world, events = a_world()
    world.source.rows[0] = {**ROWS[0], "recurringPrice": "much"}
    export = world.request()
    world.work()
    assert events == ["asked 3:7", "dropped 3:7"]
    assert world.export(export).status is ExportStatus.FAILED


def test_what_is_wrong_with_the_next_page_is_told_when_the_last_one_is_on_record() -> None:
    world, events = a_world()
    world.source.before[2] = MembershipsContractBroken("The memberships API sent a page that breaks its contract.")
    export = world.request()
    world.work()
    assert events == ["asked 3:7", "stored 0", "on record 0", "read 3:7"]
    failed = world.export(export)
    assert (failed.status, failed.progress.pages) == (ExportStatus.FAILED, 1)


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_behind_the_last_page_nothing_is_asked_for(rows: int) -> None:
    world, events = a_world()
    world.source.rows = [*ROWS[:rows]]
    export = world.request()
    world.work()
    assert (events, len(world.source.calls)) == (["on record 0"], 1)
    assert world.export(export).status is ExportStatus.COMPLETED
