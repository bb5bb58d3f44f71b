"""The bill agrees with what the programs write, and grows as it should."""

from datetime import timedelta
from math import ceil

import pytest

from bench.bill import Line, bill, mails
from bench.facts import AFTER, CALLS, RECORD_BYTES, Load
from memberships_export.adapters.aws.dynamodb_item import guard_item, record_item
from memberships_export.domain.export.rate import Turn
from memberships_export.domain.export.record import Export
from memberships_export.service.user.request import Wish
from tests.factories import a_membership
from tests.fakes.memory import MemoryStore
from tests.fakes.world import World

USER = "3f9c0d52-5a06-4b0e-9f0d-6a3a52f0a111"


class Recording(MemoryStore):
    """Keeps every record as it was written; time goes on a little with each, so that times have microseconds."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.written: list[Export] = []
        self._world = world

    def create(self, export: Export, turn: Turn | None = None) -> Export:
        self.written.append(super().create(export, turn))
        return self.written[-1]

    def replace(self, old: Export, new: Export) -> Export | None:
        self._world.clock.advance(timedelta(microseconds=54_321))
        stored = super().replace(old, new)
        if stored is not None:
            self.written.append(stored)
        return stored


@pytest.fixture
def written() -> list[Export]:
    """The record of an export of 10 rows, as it was written each time until it was completed."""
    world = World([a_membership(number, userId=USER) for number in range(1, 11)], page_size=5_000)
    world.clock.advance(timedelta(microseconds=123_457))
    world.store = Recording(world)
    world.services = world.over(world.ports)
    world.services.request(Wish(user_id=USER, email="firstname.lastname@example.org", request_id="5f0c1d7c1b9a4e02"))
    world.work()
    return world.store.written


def size_of(export: Export) -> int:
    """Return the bytes of the record as DynamoDB counts them: names and values; all of ours are short ASCII texts."""
    return sum(len(name) + len(str(text)) for name, value in record_item(export).items() for text in value.values())


def named(lines: tuple[Line, ...]) -> dict[str, Line]:
    return {line.name: line for line in lines}


def test_the_record_takes_as_many_write_units_as_the_model_says(written: list[Export]) -> None:
    requested, claimed, *_, intent, completed = (ceil(size_of(export) / 1024) for export in written)

    names = [(call.name, call.writes) for call in CALLS if call.writes]
    guard = sum(len(name) + len(str(value)) for name, value in guard_item(written[0]).items())
    assert guard < 1024
    assert names[0] == ("TransactWriteItems", 2 * requested + 4), "a transaction takes twice as much; guard and turns 2"
    assert names[1] == ("PutItem", claimed)
    assert names[-2] == ("PutItem", intent)
    assert names[-1] == ("TransactWriteItems", 2 * completed + 4), "guard and mail 2 each"


def test_the_size_of_a_completed_record_is_that_of_the_model(written: list[Export]) -> None:
    assert size_of(written[-1]) == pytest.approx(RECORD_BYTES, abs=20), "bench/facts.py, RECORD_BYTES: put this there"


def test_an_entry_that_is_added_to_an_index_is_removed_in_the_end() -> None:
    life = [*CALLS, *AFTER]

    assert sum(call.by_user for call in life) == 2
    assert sum(call.by_address for call in life) == 2
    assert sum(call.by_wake for call in life) % 2 == 0
    assert [call.by_wake for call in life if call.by_wake][1:-1] == [2] * 5, "all writes between move the entry"


def test_exports_that_are_a_thousand_times_as_many_use_a_thousand_times_as_much() -> None:
    few, many = named(bill(Load(exports=1_000_000))), named(bill(Load(exports=1_000_000_000)))

    kept_for_a_while = {"KMS", "Secrets Manager"}  # a busy function reads its secrets once for many exports
    for name in few.keys() - kept_for_a_while:
        assert many[name].use == pytest.approx(1_000 * few[name].use)
    for name in kept_for_a_while:
        assert many[name].use < 1_000 * few[name].use


def test_what_is_paid_without_any_export_does_not_grow_with_the_exports() -> None:
    none, many = bill(Load(exports=0)), bill(Load(exports=1_000_000))

    assert [line.fixed for line in none] == [line.fixed for line in many]
    assert all(line.use == 0 for line in none)


def test_a_function_that_takes_longer_costs_more_and_nothing_else_of_use_per_export_does() -> None:
    fast, slow = (named(bill(Load(exports=1_000_000, run_seconds=seconds))) for seconds in (1, 2))

    dearer = {name for name in fast if slow[name].use > fast[name].use}
    assert dearer == {"Lambda", "KMS", "Secrets Manager"}


def test_few_mails_cost_a_plan_and_many_cost_by_the_mail() -> None:
    assert mails(Load(exports=1_000)) == (19.95, 19.95)
    assert mails(Load(exports=1_000_000)) == pytest.approx((500, 1_100))
