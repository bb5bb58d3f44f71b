"""Many requests of one user at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from memberships_export.domain.errors import IdempotencyKeyReused, RateLimited
from memberships_export.domain.export.record import Export
from memberships_export.domain.formats.options import Options, Preset, of_preset
from memberships_export.service.user.request import Wish
from tests.fakes.world import World

EMAIL = "member@example.org"
AT_ONCE = 20


def together(action: Callable[[int], bool]) -> list[bool]:
    barrier = Barrier(AT_ONCE)

    def one(number: int) -> bool:
        barrier.wait()
        return action(number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


def test_of_many_requests_with_one_key_one_starts_an_export_and_all_get_it() -> None:
    world = World()
    ids = set()

    def ask(_: int) -> bool:
        accepted = world.services.request(Wish(user_id="user-1", email=EMAIL, idempotency_key="k"))
        ids.add(accepted.export.export_id)
        return accepted.created

    assert sum(together(ask)) == 1
    assert len(ids) == len(world.queue.messages) == 1


def test_of_many_requests_without_a_key_one_starts_an_export_and_all_get_it() -> None:
    world = World()

    assert sum(together(lambda _: world.services.request(Wish(user_id="user-1", email=EMAIL)).created)) == 1
    assert len(world.store.records) == len(world.queue.messages) == 1


def test_of_many_requests_for_two_orders_of_columns_each_order_is_one_export() -> None:
    world = World()
    orders = [Options(columns=("id", "name")), Options(columns=("name", "id"))]

    together(lambda number: bool(world.request(options=orders[number % 2])))

    assert len(world.store.records) == len(world.queue.messages) == 2
    assert {export.options for export in world.store.records.values()} == set(orders)


def test_two_requests_with_one_key_and_different_options_are_one_export_and_one_refusal() -> None:
    world = World()
    world.services.request(Wish(user_id="user-1", email=EMAIL, idempotency_key="k"))

    with pytest.raises(IdempotencyKeyReused):
        world.services.request(Wish(user_id="user-1", email=EMAIL, idempotency_key="k", said={"preset": "raw"}))


def test_mails_sent_again_are_limited_over_all_exports_of_a_user() -> None:
    world = World(max_exports_per_hour=6)
    exports = []
    for preset in (Preset.SPREADSHEET, Preset.RAW):
        exports.append(world.request(options=of_preset(preset)))
        world.work()

    def resend(export: Export) -> bool:
        try:
            world.services.resend(export.export_id, "user-1", EMAIL)
        except RateLimited:
            return False
        world.work()
        return True

    sent = [resend(export) for _ in range(5) for export in exports]
    assert sum(sent) == 4
    assert len(world.mails) == 6


def test_a_resend_that_is_not_possible_takes_no_turn() -> None:
    world = World(max_exports_per_hour=2)
    export = world.request()
    for _ in range(3):
        with pytest.raises(Exception, match=r"not possible|no stored file"):
            world.services.resend(export.export_id, "user-1", EMAIL)
    world.work()
    world.services.resend(export.export_id, "user-1", EMAIL)
