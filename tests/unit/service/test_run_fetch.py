"""What can come between a worker and the pages of the memberships API."""

from dataclasses import replace
from datetime import timedelta

import pytest

from memberships_export.domain.errors import (
    MembershipsUnavailable,
)
from memberships_export.domain.export.record import ExportStatus, Stage
from memberships_export.service.file_keys import part_key
from tests.factories import a_membership
from tests.fakes.memory import ListSource, MemoryFiles
from tests.fakes.world import World
from tests.readers import a_part

ROWS = [a_membership(n + 1) for n in range(7)]


def test_trouble_with_the_api_waits_and_goes_on_where_it_stopped() -> None:
    world = World(source=ListSource(ROWS, {2: MembershipsUnavailable("down"), 3: MembershipsUnavailable("still down")}))
    export = world.request()
    world.work()
    waiting = world.export(export)
    assert waiting.trouble is not None
    assert (waiting.status, waiting.stage, waiting.trouble.reason) == (ExportStatus.WAITING, Stage.FETCH, "down")
    assert waiting.progress.rows == 3
    assert not world.queue.messages, "the message is acknowledged: the record wakes itself"
    world.pass_time(steps=2)
    assert world.export(export).status is ExportStatus.COMPLETED
    assert [call.cursor for call in world.source.calls] == [None, "3:7", "3:7", "3:7", "6:7"]


def test_retry_after_is_honoured() -> None:
    world = World(source=ListSource(ROWS, {1: MembershipsUnavailable("429", retry_after=600)}))
    export = world.request()
    world.work()
    assert world.export(export).wake_at == world.clock() + timedelta(seconds=600)


def test_an_outage_of_a_day_ends_in_failure_with_the_reason() -> None:
    down = {n: MembershipsUnavailable("connection refused") for n in range(1, 1000)}
    world = World(source=ListSource(ROWS, down))
    export = world.request()
    world.work()
    world.pass_time(timedelta(minutes=16), steps=89)
    assert world.export(export).status is ExportStatus.WAITING, "after 23 hours and 44 minutes"
    world.pass_time(timedelta(minutes=16), steps=3)
    failed = world.export(export)
    assert failed.failure is not None
    assert failed.failure.code == "gave_up_waiting"
    assert "24 hours" in failed.failure.reason
    assert "connection refused" in failed.failure.reason


def test_an_outage_that_ends_in_time_costs_nothing() -> None:
    down = {n: MembershipsUnavailable() for n in range(1, 60)}
    world = World(source=ListSource(ROWS, down))
    export = world.request()
    world.pass_time(timedelta(minutes=16), steps=60)
    assert world.export(export).status is ExportStatus.COMPLETED
    assert not world.dead_letters.letters


@pytest.mark.parametrize(
    "rows, code",
    [
        ([a_membership(1), a_membership(2, userId="user-2")], "foreign_rows"),
        ([a_membership(1), a_membership(1)], "memberships_contract_broken"),
        ([a_membership(1, recurringPrice=None)], "memberships_contract_broken"),
    ],
)
def test_rows_that_cannot_be_believed_fail_the_export_and_are_never_mailed(
    rows: list[dict[str, object]], code: str
) -> None:
    world = World(source=ListSource(rows, leaks=True))
    export = world.request()
    world.work()
    failed = world.export(export)
    assert failed.failure is not None
    assert failed.failure.code == code
    assert not world.mails
    assert not world.files.content, "nothing of it is kept"
    assert len(world.failure_mails) == 1


class WrongTotal(ListSource):
    def page(self, request: object) -> bytes:
        return super().page(request).replace(b'"total":7', b'"total":8')  # type: ignore[arg-type]


def test_fewer_rows_than_announced_fail_the_export() -> None:
    world = World(source=WrongTotal(ROWS))
    export = world.request()
    world.work()
    failed = world.export(export)
    assert failed.failure is not None
    assert failed.failure.code == "row_count_mismatch"
    assert "announced 8 memberships and sent 7" in failed.failure.reason
    assert not world.mails


def test_a_page_stored_by_a_worker_that_died_before_its_checkpoint_is_not_fetched_again() -> None:
    world = World(7)
    export = world.request()
    world.work_once(should_stop=iter([False, True]).__next__)  # one page, then stop
    page_two = world.source.page(replace(world.source.calls[0], cursor="3:7"))
    key = part_key(export, 1, "3:7")
    world.files.put_once(key, a_part(key, page_two, world.export(export).progress))
    world.source.calls.clear()
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert [call.cursor for call in world.source.calls] == ["6:7"]


def test_rows_added_while_the_export_runs_do_not_appear() -> None:
    source = ListSource(ROWS)
    source.before[2] = lambda: source.rows.append(a_membership(99))
    world = World(source=source)
    export = world.request()
    world.work()
    assert world.export(export).progress.rows == 7


class FilesThatCount(MemoryFiles):
    """`read_parts`: which parts were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.read_parts = list[str]()

    def read(self, key: str) -> bytes | None:
        if key.startswith("parts/"):
            self.read_parts.append(key)
        return super().read(key)


def test_only_who_takes_over_looks_for_a_page_that_was_stored_and_only_for_the_next() -> None:
    world = World(7)
    files = FilesThatCount()
    world.files = files
    world.services = world.over(world.ports)
    world.request()
    world.work_once(should_stop=iter([False, True]).__next__)  # one page, then stop
    assert files.read_parts == []
    world.work_once(should_stop=iter([False, False, True]).__next__)
    assert "-000001-" in files.read_parts[0]
    assert not [key for key in files.read_parts if "-000002-" in key]


def test_a_page_that_vanished_is_named() -> None:
    class FilesThatVanish(MemoryFiles):
        def put_once(self, key: str, content: bytes) -> bool:
            return "-000001-" not in key and super().put_once(key, content)

    world = World(7)
    world.files = FilesThatVanish()
    world.services = world.over(world.ports)
    export = world.request()
    world.work()
    waiting = world.export(export)
    assert waiting.trouble is not None
    assert waiting.trouble.reason == "Page 2 was stored by another worker and then deleted."
