"""For every single call an export makes to the outside: it fails, or the process dies there, and all ends well."""

from datetime import timedelta

import pytest

from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.export.record import ExportStatus
from tests.fakes.shelf import Shelf, profile, shelf_rows
from tests.fakes.world import World
from tests.life.crashing import Crash, Moments
from tests.readers import a_reader

# Our own contract, and other shapes: offsets, and a cursor where rows name no owner; one page goes from hand to file.
PROFILES = {"own": "", "one page": "", "offset": profile("offset"), "scoped": profile("cursor", rows="")}


def a_world(name: str) -> World:
    """A world with an export of three pages, or four, or one, that was asked for."""
    text, size = PROFILES[name], 7 if name == "one page" else 3
    current = a_reader(text) if text else None
    world = World(7, source=Shelf(shelf_rows(7)) if text else None, current=current, page_size=size)
    world.request("anna" if text else "user-1")
    return world


def moments_of_an_export(name: str) -> int:
    """Count the moments before and after each call, in an undisturbed export."""
    world, moments = a_world(name), Moments(None)
    world.work_once(world.over(moments.over(world.ports)))
    return moments.count


MOMENTS = [(name, moment) for name in PROFILES for moment in range(1, moments_of_an_export(name) + 1)]


def refuse() -> None:
    raise StorageUnavailable("Not this time.")


def ends_well(world: World) -> None:
    for _ in range(4):
        world.pass_time(timedelta(minutes=20))
    (export,) = world.store.records.values()
    assert export.status is ExportStatus.COMPLETED
    assert [mail.intent.rpartition(":")[2] for mail in world.mails] in (["1"], ["2"], ["1", "2"])
    assert len(world.mails) == 1 or export.sends[1].possible_duplicate
    assert not world.queue.messages
    assert export.file is not None
    assert export.file.rows == 7


def test_an_export_has_as_many_moments_as_this_file_takes_it_to_have() -> None:
    assert [moments_of_an_export(name) > 30 for name in PROFILES] == [True, False, True, True]
    assert moments_of_an_export("one page") > 10


@pytest.mark.parametrize("name, moment", MOMENTS)
def test_one_failing_call_delays_the_export_and_nothing_else(name: str, moment: int) -> None:
    world = a_world(name)
    services = world.over(Moments(moment, refuse).over(world.ports))
    try:
        world.work_once(services)
    except StorageUnavailable:
        world.clock.advance(timedelta(minutes=6))  # the message comes back by its visibility timeout
    ends_well(world)


@pytest.mark.parametrize("name, moment", MOMENTS)
def test_one_death_delays_the_export_and_nothing_else(name: str, moment: int) -> None:
    world = a_world(name)
    with pytest.raises(Crash):
        world.work_once(world.over(Moments(moment).over(world.ports)))
    world.clock.advance(timedelta(minutes=6))
    ends_well(world)
