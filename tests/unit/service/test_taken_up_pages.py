"""A page that a worker stored before it died is taken up with the time at which it came."""

from datetime import timedelta

import pytest

from memberships_export.domain.export.record import Export, ExportStatus
from tests.fakes.memory import MemoryStore
from tests.fakes.shelf import Shelf, profile, shelf_rows
from tests.fakes.world import World
from tests.readers import a_reader


class Died(BaseException):
    """Ends a worker in the middle of its work, as SIGKILL does."""


class StoreThatKills(MemoryStore):
    """The first worker dies when it would note its first page."""

    died = False

    def replace(self, old: Export, new: Export) -> Export | None:
        if new.progress.pages == 1 and not self.died:
            self.died = True
            raise Died
        return super().replace(old, new)


def test_rows_may_have_moved_since_the_page_came_and_not_since_it_was_taken_up() -> None:
    shelf = Shelf(shelf_rows(7))
    world = World(source=shelf, current=a_reader(profile("page_number", total="")), page_size=3)
    world.store = StoreThatKills()
    world.services = world.over(world.ports)
    export = world.request("anna")
    with pytest.raises(Died):
        world.work()
    asked = len(shelf.calls)
    world.pass_time(timedelta(minutes=6))
    assert world.export(export).status is ExportStatus.COMPLETED
    assert "page=2" in shelf.calls[asked].query, "the first page is not asked for again"
    assert "between 12:00:00 and 12:06:00 UTC" in world.mails[0].text
