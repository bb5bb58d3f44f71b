"""Who is alive, told by real processes that die, stand still or have children."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree

import pytest

from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.machine import EmbeddedMachine
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.export.record import ExportStatus, Lease
from rig.waiting import until
from tests.factories import REQUESTED_AT, an_export
from tests.fakes.memory import FakeClock

Process = subprocess.Popen[str]
_LIVE = """
import sys
from pathlib import Path
from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.machine import EmbeddedMachine

machine = EmbeddedMachine(Path(sys.argv[1]), Database(Path(sys.argv[1]).with_name("exports.db")))
print(machine.me(), flush=True)
"""
_WAIT = "sys.stdin.read()\n"
_WITH_A_CHILD = """
import os
if os.fork() == 0:
    print(machine.me(), flush=True)
    sys.stdin.read()
    os._exit(0)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "processes"


@pytest.fixture
def machine(folder: Path) -> EmbeddedMachine:
    return machine_on(folder)


@pytest.fixture
def run(folder: Path) -> Iterator[Callable[[str], tuple[Process, str]]]:
    """Start a process that lives on the machine, and return it with its id."""
    started: list[Process] = []

    def start(then: str) -> tuple[Process, str]:
        command = [sys.executable, "-c", _LIVE + then, str(folder)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe
            pipe.close()


def machine_on(folder: Path) -> EmbeddedMachine:
    return EmbeddedMachine(folder, Database(folder.with_name("exports.db")))


def test_nobody_is_gone_where_nobody_was(machine: EmbeddedMachine) -> None:
    assert machine.gone() == []


def test_a_process_that_was_killed_is_gone_until_it_is_forgotten(
    machine: EmbeddedMachine, run: Callable[[str], tuple[Process, str]]
) -> None:
    process, name = run(_WAIT)
    assert machine.gone() == []

    process.kill()
    process.wait()

    assert machine.gone() == [name]
    machine.forget(name)
    machine.forget(name)
    assert machine.gone() == []


def test_a_process_that_stands_still_is_not_gone(
    machine: EmbeddedMachine, run: Callable[[str], tuple[Process, str]]
) -> None:
    process, _ = run(_WAIT)

    process.send_signal(signal.SIGSTOP)

    assert machine.gone() == []


def test_a_process_lives_on_in_its_child(machine: EmbeddedMachine, run: Callable[[str], tuple[Process, str]]) -> None:
    parent, name = run(_WITH_A_CHILD)
    assert parent.stdout
    assert parent.stdout.readline().strip() == name, "the child goes by the same name"
    parent.wait()
    assert machine.gone() == []

    parent.stdin.close()  # type: ignore[union-attr]
    parent.stdout.read()  # to the end of the child, whose lock the system lets go a moment after its output

    assert until(machine.gone, "the lock is let go", progress=lambda: None) == [name]


def test_a_process_is_not_gone_for_itself_nor_for_another_part_of_it(folder: Path, machine: EmbeddedMachine) -> None:
    name = machine.me()

    assert machine.me() == name
    assert machine.gone() == []
    assert machine_on(folder).gone() == []
    assert machine_on(folder).me() != name


def test_what_died_while_it_entered_is_cleared_away(folder: Path, machine: EmbeddedMachine) -> None:
    folder.mkdir()
    (folder / "1-ab.new").touch()

    assert machine.gone() == []
    assert list(folder.iterdir()) == []


def test_a_file_that_cannot_be_read_proves_no_death(
    folder: Path, machine: EmbeddedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir()
    (folder / "1-ab.lock").touch()

    def refuse(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr("os.open", refuse)

    assert machine.gone() == []


def test_files_of_others_are_left_alone(folder: Path, machine: EmbeddedMachine) -> None:
    folder.mkdir()
    os.mkfifo(folder / "a.lock")
    (folder / ".DS_Store").touch()
    (folder / "b.lock").symlink_to("/dev/null")

    assert [name for name in machine.gone() if name != "a"] == []
    assert (folder / ".DS_Store").exists()


def test_in_a_copy_of_the_data_folder_nobody_of_the_original_works(folder: Path, machine: EmbeddedMachine) -> None:
    name = machine.me()
    copy = folder.parent / "copy"
    copytree(folder, copy / "processes")

    assert machine_on(copy / "processes").gone() == [name]
    assert machine.gone() == []


def test_a_folder_that_is_full_refuses_the_claim_and_the_next_try_enters(
    machine: EmbeddedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("fcntl.flock", refuse)
        with pytest.raises(StorageUnavailable, match="free some space"):
            machine.me()

    assert machine.me()
    assert machine.gone() == []


def test_what_a_process_holds_is_found_and_nothing_else(folder: Path, machine: EmbeddedMachine) -> None:
    database = Database(folder.with_name("exports.db"))
    store = SqliteExportStore(database, FakeClock())
    for number, owner in enumerate(["1-ab.w", "2-cd.w", "w", "1-abc.w", "11-ab.w"]):
        lease = Lease(owner, REQUESTED_AT)
        store.create(an_export(export_id=f"e{number}", user_id=f"u{number}", status=ExportStatus.RUNNING, lease=lease))
    store.create(an_export(export_id="e9", user_id="u9"))

    assert [export.export_id for export in machine.held_by("1-ab")] == ["e0"]
    assert [machine.held_by(other) for other in ("3-ef", "1", "", "*", "%")] == [[]] * 5
    database.close()


def test_a_record_that_nobody_here_can_read_hides_no_other(folder: Path, machine: EmbeddedMachine) -> None:
    database, clock = Database(folder.with_name("exports.db")), FakeClock()
    store = SqliteExportStore(database, clock)
    for number in range(2):
        lease = Lease("1-ab.w", REQUESTED_AT)
        store.create(an_export(export_id=f"e{number}", user_id=f"u{number}", status=ExportStatus.RUNNING, lease=lease))
        store.create(an_export(export_id=f"q{number}", user_id=f"q{number}"))
    with database.transaction() as connection:
        connection.execute("UPDATE exports SET document = json_remove(document, '$.email') WHERE export_id LIKE '_0'")

    assert [export.export_id for export in machine.held_by("1-ab")] == ["e1"]
    before = clock() - REQUESTED_AT.resolution
    assert [(export.export_id, at) for export, at in machine.written_after(before)] == [("q1", clock())]
    database.close()
