"""Numbers of several real processes, some of which are killed."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from memberships_export.adapters.embedded.counts import Counts
from memberships_export.domain.metric import Metric
from memberships_export.service.metrics import EXPORT_SECONDS, REQUESTED, RETRIES
from tests.fakes.broken_disk import files_end_at, not_allowed

Process = subprocess.Popen[str]
_COUNTS = """
import sys
from pathlib import Path
from memberships_export.adapters.embedded.counts import Counts
from memberships_export.service.metrics import REQUESTED

counts = Counts(Path(sys.argv[1]))
for _ in sys.stdin:
    counts.count(REQUESTED)
    print("counted", flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "metrics"


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[[], Process]]:
    """Start a process that counts one request for each line that it is given."""
    started: list[Process] = []

    def one() -> Process:
        process = subprocess.Popen(
            [sys.executable, "-c", _COUNTS, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield one
    for process in started:
        process.kill()
        process.communicate()


def let_count(process: Process, times: int = 1) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    for _ in range(times):
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "counted\n"


def kill(process: Process) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def number(counts: Counts, metric: Metric = REQUESTED, label: str = "") -> float:
    return counts.layout.of(metric, counts.total(), label)[0]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.counts"))


def test_a_number_is_the_sum_of_all_processes(folder: Path, start: Callable[[], Process]) -> None:
    counts = Counts(folder)
    counts.count(REQUESTED)
    let_count(start(), 2)
    let_count(start(), 3)

    assert number(counts) == 6


def test_what_a_killed_process_counted_stays_and_its_file_goes(folder: Path, start: Callable[[], Process]) -> None:
    counts, died, lives = Counts(folder), start(), start()
    let_count(died, 5)
    let_count(lives, 1)
    kill(died)

    assert [number(counts) for _ in range(3)] == [6, 6, 6]
    assert len(files(folder)) == 1


def test_a_number_never_falls_while_processes_come_and_die(folder: Path, start: Callable[[], Process]) -> None:
    counts, seen, expected = Counts(folder), [0.0], 0
    for _ in range(6):
        process = start()
        for _ in range(3):
            let_count(process)
            expected += 1
            seen.append(number(counts))
        kill(process)
        seen.append(number(counts))

    assert seen == sorted(seen)
    assert (seen[-1], number(Counts(folder))) == (expected, expected)
    assert files(folder) == []


def test_who_dies_between_adding_a_dead_process_and_removing_its_file_counts_nothing_twice(
    folder: Path, start: Callable[[], Process]
) -> None:
    counts, died = Counts(folder), start()
    let_count(died, 4)
    kill(died)
    (name,) = files(folder)
    content = (folder / name).read_bytes()
    assert number(counts) == 4
    (folder / name).write_bytes(content)  # as if it had not been removed yet

    assert (number(counts), files(folder)) == (4, [])


def test_files_of_another_version_are_left_aside_while_they_live_and_removed_then(folder: Path) -> None:
    folder.mkdir()
    (folder / "1-abc.counts").write_bytes(b"x" * 32 + bytes(80))
    (folder / "2-abc.counts").write_bytes(b"")
    (folder / "dead.json").write_text(json.dumps({"layout": "of another version", "numbers": [7], "files": []}))

    assert (number(Counts(folder)), files(folder)) == (0, [])


@pytest.mark.parametrize("content", ["", "[]", "{", '{"layout": 1}', "\0"])
def test_a_damaged_sum_of_the_dead_begins_anew(folder: Path, content: str) -> None:
    folder.mkdir()
    (folder / "dead.json").write_text(content)
    counts = Counts(folder)
    counts.count(REQUESTED)

    assert number(counts) == 1


def test_a_histogram_has_its_buckets_and_its_sum(folder: Path) -> None:
    counts = Counts(folder)
    for seconds in (0.5, 1.0, 1.5, 1_000_000.0):
        counts.observe(EXPORT_SECONDS, seconds)

    found = list(counts.layout.of(EXPORT_SECONDS, counts.total(), ""))
    assert found[:2] == [2.0, 1.0], "the bound of a bucket belongs to it"
    assert found[-2:] == [1.0, 1_000_003.0]


def test_a_value_that_the_label_does_not_know_is_counted_as_other(folder: Path) -> None:
    counts = Counts(folder)
    counts.count(RETRIES, "code\nof tomorrow")

    assert number(counts, RETRIES, "other") == 1


def test_a_folder_that_cannot_be_written_stops_nobody_from_counting(tmp_path: Path) -> None:
    with not_allowed(tmp_path):
        counts = Counts(tmp_path / "metrics")
        counts.count(REQUESTED)
        counts.count(REQUESTED)

        assert number(counts) == 2
    counts.count(REQUESTED)
    assert number(Counts(tmp_path / "metrics")) == 3, "when it can be written again, all of it is there"


def test_on_a_full_disk_numbers_stay_right_and_are_written_when_there_is_room(folder: Path) -> None:
    counts = Counts(folder)
    with files_end_at(100):
        counts.count(REQUESTED)
        assert number(counts) == 1
    counts.count(REQUESTED)

    assert number(Counts(folder)) == 2


def test_the_files_are_for_the_eyes_of_this_user_only(folder: Path, start: Callable[[], Process]) -> None:
    counts, died = Counts(folder), start()
    counts.count(REQUESTED)
    let_count(died)
    kill(died)
    counts.total()

    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_nothing_is_opened_before_something_is_counted(folder: Path) -> None:
    counts = Counts(folder)

    assert (number(counts), list(folder.parent.iterdir())) == (0, [])
