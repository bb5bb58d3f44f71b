from concurrent.futures import ThreadPoolExecutor

import pytest

from memberships_export.domain.errors import StorageUnavailable
from memberships_export.entrypoints.cli.serve.readiness import Readiness


class Disk:
    """Counts what it is asked; `full` refuses."""

    def __init__(self) -> None:
        self.asked = 0
        self.full = False

    def check(self) -> None:
        self.asked += 1
        if self.full:
            raise StorageUnavailable("The disk is full.")


def test_many_who_ask_at_once_cost_one_write() -> None:
    disk = Disk()
    ready = Readiness(disk.check, lambda: 7.0)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ready(), range(200)))
    assert disk.asked == 1


def test_a_disk_that_fills_up_is_seen_within_a_second_and_so_is_its_end() -> None:
    now = 7.0
    disk = Disk()
    ready = Readiness(disk.check, lambda: now)
    ready()
    disk.full = True
    now += 1.0
    for _ in range(3):
        with pytest.raises(StorageUnavailable, match="The disk is full"):
            ready()
    disk.full = False
    now += 1.0
    ready()
    assert disk.asked == 3


def test_a_bug_in_the_check_is_no_answer_that_is_kept() -> None:
    ready = Readiness(lambda: 1 // 0, lambda: 7.0)  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            ready()
