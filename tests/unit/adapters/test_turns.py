"""Who writes next: threads in the order in which they ask, and no process is overtaken again and again."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Thread
from time import monotonic

import pytest

from memberships_export.adapters.embedded import turns
from memberships_export.adapters.embedded.database import SCHEMA_VERSION, Database
from memberships_export.adapters.embedded.turns import Head, Line, tries
from memberships_export.domain.errors import StorageUnavailable
from rig.waiting import until

_CHILD = """
import sys
from pathlib import Path
from time import monotonic
from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.turns import Head

path = Path(sys.argv[2])
database = Database(path)


def hog():
    while True:
        with database.transaction(may_be_lost=True) as connection:
            connection.execute("UPDATE writes SET times = times + 1")
            for _ in range(500):  # far longer than what is between two writes
                connection.execute("UPDATE writes SET times = times")


def write():
    with database.transaction():
        print("within", flush=True)
        sys.stdin.read()


def stand():
    with Head(path.with_name("exports.db-turn")).taken(monotonic()):
        print("within", flush=True)
        sys.stdin.read()


print("ready", flush=True)
{"hog": hog, "write": write, "stand": stand}[sys.argv[1]]()
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "exports.db", busy_timeout=timedelta(seconds=30))
    with database.transaction() as connection:
        connection.execute("CREATE TABLE writes (times INTEGER)")
        connection.execute("INSERT INTO writes VALUES (0)")
    yield database
    database.close()


@contextmanager
def another_process(does: str, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-c", _CHILD, does, str(folder / "exports.db")]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    try:
        for _ in range(1 if does == "hog" else 2):
            assert child.stdout.readline()
        yield child
    finally:
        child.kill()
        child.communicate()


def times(database: Database) -> int:
    return int(database.read("SELECT times FROM writes")[0][0])


def test_threads_take_turns_in_the_order_of_asking() -> None:
    line, served = Line(), list[int]()
    assert line.wait(0)

    def ask(number: int) -> None:
        assert line.wait(60)
        served.append(number)
        line.leave()

    threads = [Thread(target=ask, args=[number]) for number in range(20)]
    for number, thread in enumerate(threads):
        thread.start()
        until(lambda: len(line._waiting) > number, "one more in the line", progress=lambda: len(line._waiting))  # noqa: B023, SLF001
    line.leave()
    for thread in threads:
        thread.join()

    assert served == list(range(20))
    assert line.wait(0), "the last one has left"


def test_whoever_waited_in_vain_keeps_nobody_waiting() -> None:
    line = Line()
    assert line.wait(0)
    assert not line.wait(0)
    line.leave()

    assert line.wait(0)


def test_a_turn_that_comes_at_the_last_moment_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line()
    assert line.wait(0)

    class LateLock:  # its turn comes when its time is over
        def __init__(self) -> None:
            self.taken = 0

        def acquire(self, timeout: float = -1) -> bool:
            if timeout == -1:
                return True
            line.leave()
            return False

        def release(self) -> None:
            self.taken += 1

    monkeypatch.setattr(turns, "Lock", LateLock)
    assert line.wait(1)
    monkeypatch.undo()

    assert not line.wait(0), "it is ours"


def test_the_last_try_knows_that_it_is_the_last() -> None:
    assert list(tries(monotonic() - 1)) == [True], "there is always one"
    *before, last = tries(monotonic() + 0.01)
    assert (set(before), last) == ({False}, True)


def test_where_the_file_system_knows_no_locks_a_writer_goes_on_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(_descriptor: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    tried = list[float]()
    monkeypatch.setattr(fcntl, "flock", no_locks)
    monkeypatch.setattr(turns, "sleep", tried.append)
    with database.transaction() as connection:
        connection.execute("UPDATE writes SET times = times + 1")
    assert tried == []
    with pytest.raises(StorageUnavailable, match="No locks available"), Database(tmp_of(database)).transaction():
        pass


def tmp_of(database: Database) -> Path:
    """A database that nobody has made yet, beside this one."""
    return database.folder / "another.db"


def test_who_makes_or_takes_over_a_database_keeps_others_out_however_long_that_takes(tmp_path: Path) -> None:
    path = tmp_path / "exports.db"
    others_file = path.with_name("exports.db-turn")
    made = list[int]()

    def open_it() -> None:
        with closing(Database(path, busy_timeout=timedelta(milliseconds=1))) as database:
            made.append(database.read("PRAGMA user_version")[0][0])

    opening = Thread(target=open_it)
    with Head(others_file).alone():
        opening.start()
        until(lambda: waits_for(others_file) or not opening.is_alive(), "the other one", progress=lambda: len(made))
        assert (opening.is_alive(), made) == (True, [])
    opening.join()
    assert made == [SCHEMA_VERSION]


def waits_for(path: Path) -> bool:
    """Whether somebody waits for the lock of a file, as Linux tells it."""
    waiting = [line for line in Path("/proc/locks").read_text().splitlines() if "->" in line]
    return any(f":{path.stat().st_ino} " in line for line in waiting)


def test_threads_of_one_process_never_meet_in_sqlite(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = list[float]()
    monkeypatch.setattr(turns, "sleep", pauses.append)

    def write() -> None:
        for _ in range(50):
            with database.transaction(may_be_lost=True) as connection:
                connection.execute("UPDATE writes SET times = times + 1")

    threads = [Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert times(database) == 400
    assert pauses == []


def test_a_process_that_writes_all_the_time_lets_others_in(database: Database, tmp_path: Path) -> None:
    overtaken = list[int]()

    def written() -> int:
        return times(database)

    with another_process("hog", tmp_path):
        for _ in range(25):
            before = written()
            until(lambda: written() > before + 1, "the other process writes", progress=written)  # noqa: B023
            asked = written()
            with database.transaction(may_be_lost=True) as connection:
                overtaken.append(connection.execute("SELECT times FROM writes").fetchone()[0] - asked)

    # With the pauses of SQLite it was overtaken 200 times, half of the times; now once.
    assert sorted(overtaken)[len(overtaken) // 2] <= 50, overtaken


def test_a_process_that_stands_still_while_it_writes_is_waited_for_no_longer_than_the_busy_timeout(
    database: Database, tmp_path: Path
) -> None:
    assert times(database) == 0
    impatient = Database(tmp_path / "exports.db", busy_timeout=timedelta(milliseconds=50))
    with another_process("write", tmp_path) as child:
        os.kill(child.pid, signal.SIGSTOP)
        with pytest.raises(StorageUnavailable, match=r"locked.*another process holds it"), impatient.transaction():
            pytest.fail("the other one is still writing")
        os.kill(child.pid, signal.SIGCONT)
    with impatient.transaction():
        assert times(database) == 0
    impatient.close()


def test_a_process_that_stands_still_at_the_head_of_the_line_stops_nobody(database: Database, tmp_path: Path) -> None:
    with another_process("stand", tmp_path) as child:
        os.kill(child.pid, signal.SIGSTOP)
        with database.transaction() as connection:
            connection.execute("UPDATE writes SET times = 7")
        assert times(database) == 7
        os.kill(child.pid, signal.SIGCONT)


def test_threads_that_wait_behind_another_process_give_up_each_in_its_own_time(
    database: Database, tmp_path: Path
) -> None:
    impatient, refused = Database(tmp_path / "exports.db", busy_timeout=timedelta(milliseconds=50)), list[str]()

    def write() -> None:
        try:
            with impatient.transaction():
                pytest.fail("the other one is still writing")
        except StorageUnavailable as error:
            refused.append(error.reason)

    with database.transaction():
        threads = [Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(refused) == 4
    assert all("locked" in reason and "another process holds it" in reason for reason in refused)
    impatient.close()


def test_the_head_of_the_line_is_for_this_user_only(database: Database, tmp_path: Path) -> None:
    assert times(database) == 0
    assert (tmp_path / "exports.db-turn").stat().st_mode & 0o777 == 0o600


def test_the_head_can_be_taken_again_when_its_process_has_died(tmp_path: Path) -> None:
    path = tmp_path / "exports.db-turn"
    Database(tmp_path / "exports.db").read("SELECT 1")
    with another_process("stand", tmp_path) as child:
        child.kill()
        child.wait()
        head = Head(path)
        other = os.open(path, os.O_RDWR)
        with head.taken(monotonic()):
            assert not turns._locked(other)  # noqa: SLF001
        os.close(other)
        head.close()
