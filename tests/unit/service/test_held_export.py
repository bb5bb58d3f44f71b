"""An export in a worker's hands: what is written when, and what is forgotten when a write fails."""

from dataclasses import replace
from datetime import timedelta

import pytest

from memberships_export.domain.errors import LeaseLost, StorageUnavailable
from memberships_export.domain.export.held import Holder, claim, link_only
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Export
from memberships_export.service.worker.held_export import HeldExport
from tests.factories import REQUESTED_AT, an_export
from tests.fakes.memory import FakeClock, MemoryStore

POLICY = Policy()


class StoreThatFails(MemoryStore):
    """`fails`: how many writes fail from now on; `writes`: how many did not."""

    fails = 0
    writes = 0

    def replace(self, old: Export, new: Export) -> Export | None:
        if self.fails:
            self.fails -= 1
            raise StorageUnavailable("locked")
        self.writes += 1
        return super().replace(old, new)


@pytest.fixture
def store() -> StoreThatFails:
    return StoreThatFails()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(REQUESTED_AT)


@pytest.fixture
def held(store: StoreThatFails, clock: FakeClock) -> HeldExport:
    export = store.create(an_export())
    claimed = store.replace(export, claim(export, "me", clock(), POLICY))
    assert claimed is not None
    store.writes = 0
    return HeldExport(export=claimed, store=store, clock=clock, policy=POLICY, token=claimed.token)


def counting(export: Export, holder: Holder, by: int = 1) -> Export:
    """A step that shows how often it was done."""
    assert holder.token == export.token
    return replace(export, nudges=export.nudges + by)


def noting(export: Export, by: int) -> Export:
    return replace(export, claims=export.claims + by)


def stored(held: HeldExport) -> Export:
    found = held.store.get(held.export.export_id)
    assert found is not None
    return found


def test_a_step_that_waits_for_the_next_write_is_seen_here_and_stored_with_it(
    held: HeldExport, store: StoreThatFails
) -> None:
    held.write_with_next(counting, by=10)
    held.write_with_next(counting, 200)
    assert (held.export.nudges, stored(held).nudges, store.writes) == (210, 0, 0)
    held.write(counting)
    assert (stored(held).nudges, store.writes) == (211, 1)
    held.write(counting)
    assert stored(held).nudges == 212, "what was stored is not done again"
    assert held.export == stored(held)


def test_a_step_whose_write_failed_did_not_happen(held: HeldExport, store: StoreThatFails) -> None:
    store.fails = 2
    for _ in range(2):
        with pytest.raises(StorageUnavailable):
            held.write(counting)
        assert held.export == stored(held)
    held.note(noting, 5)
    assert (stored(held).nudges, stored(held).claims) == (0, 6)
    held.write(counting)
    assert stored(held).nudges == 1


def test_a_note_whose_write_failed_was_not_made(held: HeldExport, store: StoreThatFails) -> None:
    store.fails = 1
    with pytest.raises(StorageUnavailable):
        held.note(noting, 5)
    held.write(counting)
    assert (stored(held).nudges, stored(held).claims) == (1, 1)


def test_what_waited_for_a_write_that_failed_still_waits_for_the_next(held: HeldExport, store: StoreThatFails) -> None:
    held.write_with_next(counting, by=10)
    store.fails = 1
    with pytest.raises(StorageUnavailable):
        held.write(counting)
    assert held.export.nudges == 10
    held.note(noting, by=5)
    assert (stored(held).nudges, stored(held).claims) == (10, 6)
    held.write(counting)
    assert stored(held).nudges == 11


def test_a_step_is_done_to_what_another_wrote_meanwhile(held: HeldExport, store: StoreThatFails) -> None:
    held.write_with_next(counting, by=10)
    assert store.replace(stored(held), replace(stored(held), link_generation=7))
    held.write(counting, by=1)
    assert (stored(held).nudges, stored(held).link_generation) == (11, 7)


def test_what_waits_is_lost_with_the_lease(held: HeldExport, store: StoreThatFails) -> None:
    held.write_with_next(link_only)
    assert store.replace(stored(held), replace(stored(held), token=held.token + 1))
    with pytest.raises(LeaseLost):
        held.write(link_only)
    assert not stored(held).always_link


def test_the_lease_is_renewed_when_half_of_it_is_used_up(
    held: HeldExport, store: StoreThatFails, clock: FakeClock
) -> None:
    clock.advance(POLICY.lease / 2)
    held.keep_alive()
    assert store.writes == 0, "half is left"
    clock.advance(timedelta(microseconds=1))
    held.keep_alive()
    lease = stored(held).lease
    assert lease is not None
    assert (store.writes, lease.until) == (1, clock() + POLICY.lease)
