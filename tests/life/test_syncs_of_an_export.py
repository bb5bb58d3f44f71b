"""What an export of one page waits for: each commit and sync has its name here, so that no other comes unnoticed."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection

import pytest

from memberships_export.adapters.embedded.database import Database
from tests.fakes.memory import FakeClock
from tests.life.power import Barrier, Disk
from tests.life.powered import Machine, outbox_in

# Where there is a better way, take away from these; to add to them needs a reason in decision 0076.
COMMITS = Counter(
    {
        True: 3,  # may be lost: received, claimed, acknowledged
        False: 3,  # accepted with its message, rendered and send intent, outcome
    }
)
SYNCS = Counter(
    {
        "exports.db-wal": 3,  # the commits that may not be lost
        "files/csv/": 1,  # the folder of its file
        "the file": 1,
        "the folder of the file": 1,  # its name
        "the mail": 1,
        "outbox/": 1,  # the name of the mail
    }
)


def test_a_small_export_waits_for_the_disk_as_often_as_this_says_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    barriers = list[Barrier]()
    disk, clock = Disk(tmp_path / "machine", barriers.append), FakeClock()
    with disk.remembered(monkeypatch), counted(monkeypatch) as commits:
        machine = Machine(tmp_path / "machine", outbox_in(tmp_path / "machine", clock), clock)
        export_one(machine, 0)  # which makes what all exports share
        barriers.clear()
        commits.clear()
        export_one(machine, 2)
        syncs = [name_of(barrier.what) for barrier in barriers]
        machine.close()

    assert Counter(commits) == COMMITS, commits
    assert Counter(syncs) == SYNCS, syncs


def export_one(machine: Machine, user: int) -> None:
    export = machine.accept(user)
    machine.work()
    assert machine.records()[export.export_id].file


def name_of(path: str) -> str:
    if path.startswith("files/csv/") and path != "files/csv/":
        return "the folder of the file" if path.endswith("/") else "the file"
    return "the mail" if path.endswith(".tmp") and path.startswith("outbox/") else path


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Count the transactions in this block: of each, whether it may be lost."""
    commits, usual = list[bool](), Database.transaction

    @contextmanager
    def transaction(database: Database, *, may_be_lost: bool = False) -> Iterator[Connection]:
        commits.append(may_be_lost)
        with usual(database, may_be_lost=may_be_lost) as connection:
            yield connection

    with monkeypatch.context() as patch:
        patch.setattr(Database, "transaction", transaction)
        yield commits
