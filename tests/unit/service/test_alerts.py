"""Somebody is woken once per kind of trouble and hour, whatever happens to the processes and to the alarm."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from memberships_export.adapters.embedded.alert_notes import SqliteAlertNotes
from memberships_export.adapters.embedded.database import Database
from memberships_export.domain.errors import (
    ForeignRows,
    MembershipsContractBroken,
    MembershipsRefused,
    StorageUnavailable,
)
from memberships_export.domain.pause import Pause
from memberships_export.service.operator.alerts import Alert, AlertFailed, AlertNotes, RaiseAlerts
from memberships_export.service.operator.noticed import Noticed
from memberships_export.service.operator.troubles import FindTrouble
from tests.fakes.memory import NOON, FakeClock
from tests.fakes.world import REFUSED_FOR_NOW, World

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Watch:
    """A process that looks around: what it told, and what stands around it."""

    def __init__(self, world: World, notes: AlertNotes) -> None:
        self.world, self.notes = world, notes
        self.told: list[Alert] = []
        self.fails = False
        self.full: str | None = None
        self.is_alive = True
        self.noticed: Sequence[Noticed] = ()
        self.look = self.process()

    def process(self) -> RaiseAlerts:
        """Start another process on the same data."""
        world = self.world
        find = FindTrouble(
            store=world.store,
            state=world.state,
            dead_letters=world.dead_letters,
            notes=self.notes,
            check=self.check,
            alive=lambda: self.is_alive,
            noticed=lambda: self.noticed,
            clock=world.clock,
            after=15 * MINUTE,
            give_up_after=world.policy.give_up_after,
        )
        return RaiseAlerts(find=find, notes=self.notes, alarms=[self.alarm], clock=world.clock)

    def check(self) -> None:
        if self.full:
            raise StorageUnavailable(self.full)

    def alarm(self, alert: Alert) -> None:
        if self.fails:
            raise AlertFailed("It hangs.")
        self.told.append(alert)

    def kinds(self) -> list[str]:
        self.look()
        told, self.told = self.told, []
        return [alert.kind for alert in told]


@pytest.fixture
def open_notes(tmp_path: Path) -> Iterator[Callable[[], SqliteAlertNotes]]:
    databases: list[Database] = []

    def opened() -> SqliteAlertNotes:
        databases.append(Database(tmp_path / "exports.db"))
        return SqliteAlertNotes(databases[-1])

    yield opened
    for database in databases:
        database.close()


@pytest.fixture
def watch(open_notes: Callable[[], SqliteAlertNotes]) -> Watch:
    return Watch(World(), open_notes())


def fail_one(world: World, error: Exception, user: str) -> str:
    world.source.before[len(world.source.calls) + 1] = error
    export = world.request(user)
    world.work()
    return export.export_id


def test_a_failed_export_is_told_once_with_what_to_type_and_whom_it_is_about_only_by_id(watch: Watch) -> None:
    export_id = fail_one(watch.world, MembershipsContractBroken("Row 3 of member@example.org is odd."), "user-1")
    watch.look()
    [alert] = watch.told
    assert (alert.kind, alert.count, alert.exports) == ("failed:memberships_contract_broken", 1, (export_id,))
    assert "memberships-export dlq list" in alert.text
    assert "user-1" not in repr(alert)
    assert "@" not in repr(alert)
    watch.world.clock.advance(5 * HOUR)
    watch.told.clear()
    assert watch.kinds() == []


def test_time_that_goes_on_between_two_looks_at_the_clock_keeps_nobody_from_being_woken(watch: Watch) -> None:
    clock = watch.world.clock

    class Ticking(FakeClock):
        def __call__(self) -> datetime:
            clock.advance(timedelta(microseconds=1))
            return clock()

    fail_one(watch.world, MembershipsContractBroken(), "user-1")
    watch.look = replace(watch.look, clock=Ticking())
    assert watch.kinds() == ["failed:memberships_contract_broken"]


def test_what_fails_within_the_hour_is_told_together_when_it_is_over(watch: Watch) -> None:
    fail_one(watch.world, MembershipsContractBroken(), "user-1")
    assert watch.kinds() == ["failed:memberships_contract_broken"]
    for number in (2, 3):
        watch.world.clock.advance(10 * MINUTE)
        fail_one(watch.world, MembershipsContractBroken(), f"user-{number}")
        assert watch.kinds() == []
    watch.world.clock.advance(HOUR)
    watch.look()
    assert [(alert.kind, alert.count) for alert in watch.told] == [("failed:memberships_contract_broken", 2)]


def test_rows_of_another_user_are_told_at_once_each_time(watch: Watch) -> None:
    for number in range(3):
        fail_one(watch.world, ForeignRows(), f"user-{number}")
        assert watch.kinds() == ["failed:foreign_rows"]
        assert watch.kinds() == []


def test_a_restart_and_another_process_tell_nothing_again(
    watch: Watch, open_notes: Callable[[], SqliteAlertNotes]
) -> None:
    fail_one(watch.world, MembershipsContractBroken(), "user-1")
    assert watch.kinds() == ["failed:memberships_contract_broken"]
    other = Watch(watch.world, open_notes())
    assert other.kinds() == []
    watch.look = watch.process()
    assert watch.kinds() == []


def test_of_many_processes_at_once_one_tells(open_notes: Callable[[], SqliteAlertNotes]) -> None:
    alerts = [
        Alert(kind="failed:foreign_rows", text="-", count=1, since=NOON, occurrences=("letter-1",), always=True),
        Alert(kind="storage_unavailable", text="-", count=1, since=NOON),
    ]
    notes, barrier = [open_notes() for _ in range(6)], Barrier(6)

    def claim(one: SqliteAlertNotes) -> list[bool]:
        barrier.wait()
        return [one.claim(alert, NOON, timedelta(0) if alert.always else HOUR) for alert in alerts]

    with ThreadPoolExecutor(6) as pool:
        claimed = list(pool.map(claim, notes))
    assert [sum(column) for column in zip(*claimed, strict=True)] == [1, 1]


class Died(BaseException):
    """The process is gone, in the middle of the alarm."""


def test_one_that_dies_while_it_tells_leaves_it_to_another_a_little_later(
    watch: Watch, open_notes: Callable[[], SqliteAlertNotes]
) -> None:
    fail_one(watch.world, ForeignRows(), "user-1")
    fail_one(watch.world, MembershipsContractBroken(), "user-2")

    def dies(_: Alert) -> None:
        raise Died

    watch.look = replace(watch.look, alarms=[dies])
    with pytest.raises(Died):
        watch.look()
    other = Watch(watch.world, open_notes())
    assert other.kinds() == ["failed:memberships_contract_broken"], "the one that was in hand may still be told"
    watch.world.clock.advance(2 * MINUTE)
    assert other.kinds() == ["failed:foreign_rows"]
    assert other.kinds() == []


def test_what_comes_while_somebody_tells_is_told_with_the_next_look(watch: Watch) -> None:
    fail_one(watch.world, ForeignRows(), "user-1")

    def slow(alert: Alert) -> None:
        fail_one(watch.world, ForeignRows(), "user-2")
        assert watch.kinds() == [], "of one kind one alarm runs at a time"
        watch.told.append(alert)

    other = replace(watch.process(), alarms=[slow])
    other()
    assert [alert.count for alert in watch.told] == [1]
    watch.told.clear()
    watch.look()
    assert [alert.count for alert in watch.told] == [1]


def test_an_alarm_that_fails_is_tried_again_a_minute_later_and_not_before(
    watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    fail_one(watch.world, MembershipsContractBroken(), "user-1")
    watch.fails = True
    assert watch.kinds() == []
    assert "kind=failed:memberships_contract_broken event=alert_failed reason=It hangs." in caplog.messages
    watch.fails = False
    assert watch.kinds() == []
    watch.world.clock.advance(MINUTE)
    assert watch.kinds() == ["failed:memberships_contract_broken"]
    watch.world.clock.advance(MINUTE)
    assert watch.kinds() == []


def test_what_may_pass_is_given_a_quarter_of_an_hour_and_told_each_hour_that_it_lasts(watch: Watch) -> None:
    world = watch.world
    world.mailer.script += [REFUSED_FOR_NOW] * 50
    world.request()
    world.work()
    assert watch.kinds() == []
    world.clock.advance(14 * MINUTE)
    assert watch.kinds() == []
    world.clock.advance(MINUTE)
    assert watch.kinds() == ["waiting:mail_refused_for_now"]
    world.clock.advance(59 * MINUTE)
    assert watch.kinds() == []
    world.clock.advance(MINUTE)
    assert watch.kinds() == ["waiting:mail_refused_for_now"]


def test_a_refusal_that_only_a_person_mends_is_told_at_once(watch: Watch) -> None:
    fail_one(watch.world, MembershipsRefused(), "user-1")
    assert watch.kinds() == ["waiting:memberships_refused"]


@pytest.mark.parametrize("alive, kind", [(True, "queue_old"), (False, "no_worker")])
def test_an_old_queue_is_told_and_whether_any_worker_is_alive(watch: Watch, alive: bool, kind: str) -> None:  # noqa: FBT001
    watch.is_alive = alive
    watch.world.request()
    assert watch.kinds() == []
    watch.world.clock.advance(15 * MINUTE)
    assert watch.kinds() == [kind]


def test_that_nothing_is_begun_in_a_pause_wakes_nobody(watch: Watch) -> None:
    watch.world.request()
    watch.world.state.pause(Pause(since=NOON, by="ops"))
    watch.world.clock.advance(HOUR)
    assert watch.kinds() == []


def test_a_full_disk_is_told_once_an_hour_although_nothing_can_be_noted(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> bool:
        raise StorageUnavailable("The disk is full.")

    monkeypatch.setattr(watch.notes, "claim", away)
    monkeypatch.setattr(watch.notes, "give_back", away)
    monkeypatch.setattr(watch.notes, "told", away)
    watch.full = "data/files cannot be used: No space left on device."
    watch.fails = True
    assert watch.kinds() == []
    watch.world.clock.advance(MINUTE)
    watch.fails = False
    watch.look()
    assert [(alert.kind, alert.text) for alert in watch.told] == [("storage_unavailable", watch.full)]
    watch.told.clear()
    watch.world.clock.advance(59 * MINUTE)
    assert watch.kinds() == []
    watch.world.clock.advance(2 * MINUTE)
    assert watch.kinds() == ["storage_unavailable"]


def test_what_the_process_noticed_is_told_when_it_happens_again_and_not_because_it_happened(watch: Watch) -> None:
    clock = watch.world.clock
    watch.noticed = [Noticed(what="internal_error", by="", count=1, since=clock(), last=clock())]
    assert watch.kinds() == ["internal_error"]
    clock.advance(2 * HOUR)
    assert watch.kinds() == []
    watch.noticed = [Noticed(what="internal_error", by="", count=2, since=clock(), last=clock())]
    assert watch.kinds() == ["internal_error"]
    watch.noticed = [Noticed(what="refused", by="mail_service", count=1, since=clock(), last=clock())]
    watch.look()
    assert watch.told[0].text.startswith("Mail service refuses us")


def test_a_clock_that_was_set_back_keeps_nobody_from_being_woken(watch: Watch) -> None:
    watch.full = "No space."
    assert watch.kinds() == ["storage_unavailable"]
    watch.world.clock.advance(timedelta(days=-3))
    watch.look = watch.process()
    assert watch.kinds() == ["storage_unavailable"]
