"""What operators are told of exports that wait."""

from datetime import timedelta

from memberships_export.domain.errors import MembershipsRefused, MembershipsUnavailable
from memberships_export.service.operator.what_waits import Waiting
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
