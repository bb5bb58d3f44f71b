import os
import select
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from memberships_export.adapters.embedded import bell as bells
from memberships_export.adapters.embedded.bell import Bell
from rig.waiting import PATIENCE_SECONDS

_ANOTHER_PROCESS = """
import sys
from pathlib import Path
import memberships_export.adapters.embedded.bell as bells
bells._LOOK_SECONDS = 1200.0  # nobody looks by themselves
bell = bells.Bell(Path(sys.argv[1]))
bell.wait(bell.rung, 0)
before = bell.rung
print("listens", flush=True)
bell.wait(before, float(sys.argv[2]))
print("heard" if bell.rung > before else "nothing came", flush=True)
"""


@pytest.fixture(autouse=True)
def nobody_looks_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bells, "_LOOK_SECONDS", 10 * PATIENCE_SECONDS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "bells"


@contextmanager
def _another_process(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", _ANOTHER_PROCESS, str(folder), str(PATIENCE_SECONDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "listens\n"
            yield process
        finally:
            process.kill()


def _listening(folder: Path) -> Bell:
    bell = Bell(folder)
    bell.wait(bell.rung, 0)
    return bell


def _heard(bell: Bell, rung: int) -> bool:
    bell.wait(rung, PATIENCE_SECONDS)
    return bell.rung > rung


def test_who_waits_in_this_process_hears_it(folder: Path) -> None:
    bell = _listening(folder)
    with ThreadPoolExecutor() as pool:
        heard = pool.submit(_heard, bell, bell.rung)
        bell.ring()
        assert heard.result()


def test_who_waits_in_another_process_hears_it(folder: Path) -> None:
    waiting, ringing = _listening(folder), Bell(folder)
    rung = waiting.rung
    ringing.ring()
    assert _heard(waiting, rung)


def test_a_process_is_woken_by_another(folder: Path) -> None:
    with _another_process(folder) as process:
        Bell(folder).ring()
        assert process.stdout is not None
        assert process.stdout.readline() == "heard\n"


def test_what_was_rung_before_one_waits_is_not_missed(folder: Path) -> None:
    waiting, ringing = Bell(folder), Bell(folder)
    before = waiting.rung
    ringing.ring()  # nobody has a bell yet: the one who begins to wait looks once more instead
    assert _heard(waiting, before)
    between = waiting.rung
    ringing.ring()
    assert _heard(waiting, between)


def test_each_of_several_processes_hears_it(folder: Path) -> None:
    all_of_them, ringing = [_listening(folder) for _ in range(3)], Bell(folder)
    rung = [bell.rung for bell in all_of_them]
    ringing.ring()
    assert all(map(_heard, all_of_them, rung))


def test_no_ring_is_lost_when_many_ring(folder: Path) -> None:
    waiting = _listening(folder)
    for _ in range(200):
        rung = waiting.rung
        Bell(folder).ring()
        assert _heard(waiting, rung)


def test_ringing_waits_for_nobody(folder: Path) -> None:
    folder.mkdir(parents=True)
    path = folder / "1-stopped.bell"  # a process that stands still and reads nothing
    os.mkfifo(path)
    stopped = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    filling = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    while select.select([], [filling], [], 0)[1]:
        os.write(filling, bytes(select.PIPE_BUF))
    Bell(folder).ring()
    assert path.exists()
    os.close(stopped)
    os.close(filling)


def test_the_bell_of_a_dead_process_is_taken_away_when_somebody_rings(folder: Path) -> None:
    with _another_process(folder) as process:
        [path] = folder.iterdir()
        process.kill()
        process.wait()
    assert path.exists()
    Bell(folder).ring()
    assert not path.exists()


def test_a_bell_goes_with_its_process_and_with_who_waited(folder: Path) -> None:
    bell = _listening(folder)
    [path] = folder.iterdir()
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(folder.stat().st_mode)) == (0o600, 0o700)
    del bell
    assert list(folder.iterdir()) == []


def test_who_only_rings_leaves_nothing_on_the_disk(folder: Path) -> None:
    Bell(folder).ring()
    assert not folder.exists()


def test_where_there_are_no_fifos_one_looks_again_soon(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "mkfifo", refuse)
    bell = Bell(folder)
    bell.wait(bell.rung, PATIENCE_SECONDS)
    rung = bell.rung
    with ThreadPoolExecutor() as pool:
        pool.submit(bell.wait, rung, 10 * PATIENCE_SECONDS).result(timeout=PATIENCE_SECONDS)
    assert bell.rung == rung
    assert list(folder.iterdir()) == []


def test_names_that_are_no_bells_are_left_alone(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("a")
    (folder / "1-a.bell").symlink_to(folder / "notes.txt")
    Bell(folder).ring()
    assert (folder / "notes.txt").read_text() == "a"
