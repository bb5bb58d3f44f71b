"""What operators are told of exports that wait."""

from dataclasses import replace
from datetime import timedelta

from memberships_export.domain.errors import MembershipsRefused, MembershipsUnavailable
from memberships_export.domain.export.record import Trouble
from memberships_export.service.operator.what_waits import Waiting
from tests.factories import an_export
from tests.fakes.world import World


def test_nothing_waits_in_a_service_without_trouble() -> None:
    world = World()
    world.request()
    assert world.services.what_waits() == []
    world.work()
    assert world.services.what_waits() == []


def test_exports_that_wait_are_counted_by_what_they_wait_for_the_longest_first() -> None:
    world = World()
    began = world.clock()
    refused = MembershipsRefused("Status 401.")
    world.source.before.update({1: MembershipsUnavailable(), 2: refused, 3: refused})
    for number in range(3):
        world.request(user_id=f"user-{number}")
        world.work()
        world.clock.advance(timedelta(seconds=1))
    assert world.services.what_waits() == [
        Waiting(code="memberships_unavailable", exports=1, since=began),
        Waiting(code="memberships_refused", exports=2, since=began + timedelta(seconds=1)),
    ]


def test_a_trouble_waits_since_it_is_this_one_and_in_an_older_record_since_it_began() -> None:
    world = World()
    began = world.clock()
    now = Trouble(code="memberships_refused", reason="r", since=began, same_since=began + timedelta(hours=1), count=2)
    for user, trouble in (("user-1", now), ("user-2", replace(now, code="old", same_since=None))):
        export = world.request(user)
        assert world.store.replace(export, replace(export, trouble=trouble))
    assert world.services.what_waits() == [
        Waiting(code="old", exports=1, since=began),
        Waiting(code="memberships_refused", exports=1, since=began + timedelta(hours=1)),
    ]


def test_no_more_than_a_hundred_exports_are_looked_at() -> None:
    world = World()
    trouble = Trouble(code="memberships_refused", reason="r", since=world.clock(), count=1)
    for number in range(101):
        world.store.create(an_export(user_id=f"user-{number}", trouble=trouble, wake_at=world.clock()))
    assert [waiting.exports for waiting in world.services.what_waits()] == [100]
