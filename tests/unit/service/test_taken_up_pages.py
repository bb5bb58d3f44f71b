"""What a worker stored before it died is taken up with all that came with it."""

from datetime import timedelta
from itertools import chain, repeat

import pytest

from memberships_export.adapters.texts.locale_forms import moment
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.domain.source.profile import KnownProfile
from tests.factories import REQUESTED_AT
from tests.fakes.memory import MemoryStore
from tests.fakes.shelf import Shelf, profile, shelf_rows
from tests.fakes.world import World, attachment
from tests.readers import a_reader

GO_ON_ONCE, STOP = [False], True


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
    between = [moment(REQUESTED_AT + timedelta(minutes=minutes), "en", "UTC") for minutes in (0, 6)]
    assert f"between {between[0]} and {between[1]}" in world.mails[0].text


@pytest.mark.parametrize("kind", ["header_link", "json_link", "cursor"])
def test_the_way_to_the_next_page_is_taken_up_with_the_page(kind: str) -> None:
    shelf = Shelf(shelf_rows(7))
    world = World(source=shelf, current=a_reader(profile(kind)), page_size=3)
    world.store = StoreThatKills()
    world.services = world.over(world.ports)
    world.request("anna")
    with pytest.raises(Died):
        world.work()
    world.pass_time(timedelta(minutes=6))
    assert len(shelf.calls) == 4, "the second page was under way when the worker died, and is asked for again"
    assert attachment(world.mails[0]).count(b"\r\n") == 8


def test_a_number_that_comes_twice_in_no_order_is_found_by_whoever_takes_over() -> None:
    rows = [{"id": number, "name": "Plan", "user": "anna"} for number in (5, 1, 9, 7, 3, 8, 1)]
    text = profile("cursor", total="").replace('{ name = "id" }', '{ name = "id", type = "integer" }')
    unordered = a_reader(text.replace('order = "rising"', 'order = "none"'))
    world = World(source=Shelf(rows), current=unordered, page_size=3)
    export = world.request("anna")
    for _ in range(8):
        world.work_once(should_stop=chain(GO_ON_ONCE, repeat(STOP)).__next__)
    failed = world.export(export)
    assert (failed.status, world.mails) == (ExportStatus.FAILED, [])


def test_rows_for_nobody_fail_the_export_with_what_that_means() -> None:
    class OpenToAll(Shelf):
        def fetch(self, call: Call, profile: KnownProfile) -> Answer:  # noqa: ARG002  (of the port)
            self.calls.append(call)
            return self.single_page({})

    current = a_reader(profile("single_page", rows="", total=""))
    world = World(source=OpenToAll(shelf_rows(7)), current=current, page_size=3)
    export = world.request("anna")
    world.work()
    failure = world.export(export).failure
    assert failure is not None
    assert failure.reason == (
        "The memberships API sent 7 rows for a user that cannot exist, and its rows name no owner: its filter does not "
        "work, and nothing of it is kept or mailed."
    )
