"""The power goes at any sync of 200 exports: what was answered with 202 is completed, and mails are not too many."""

import random
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from memberships_export.domain.export.record import Evidence, Export, ExportStatus
from memberships_export.domain.mail.mail import Mail
from tests.fakes.memory import FakeClock
from tests.fakes.world import ACCEPTED, REFUSED_FOR_NOW
from tests.life.power import Barrier, Disk, Wrote, make
from tests.life.powered import Machine, MailService, Seen, mails_in, outbox_in, sends_of

LIVES, EXPORTS = 40, 5  # a machine of its own for each life
ANSWERS = (ACCEPTED, ACCEPTED, ACCEPTED, REFUSED_FOR_NOW)
MEMORY = Path("/dev/shm")  # noqa: S108  (each test has a folder of its own in it)
MOST_PASSES = 12  # of the sweeper, after which an export stands still


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where there is one: thousands of folders are made and removed."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else tmp_path) as name:
        yield Path(name)


@pytest.mark.parametrize("number", range(LIVES))
def test_the_power_goes_at_every_sync(number: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(number)  # noqa: S311  (the same each time)
    barriers = list[Barrier]()
    disk, seen = Disk(folder / "machine", barriers.append), Seen()
    with disk.remembered(monkeypatch):
        live(folder / "machine", disk, seen, chance, outbox=number % 2 == 0)
        assert len(barriers) > 4 * EXPORTS
        met = set[int]()
        for barrier in reversed(barriers):  # of two that leave the same, the later one demands more
            for found in leftovers(barrier, chance):
                if hash(frozenset(found.items())) in met:
                    continue
                met.add(hash(frozenset(found.items())))
                make(found, folder / "after")
                go_on(folder / "after", barrier, seen, outbox=number % 2 == 0)
                shutil.rmtree(folder / "after")


def leftovers(barrier: Barrier, chance: random.Random) -> Iterator[dict[str, bytes | None]]:
    """Choose what of the pending changes reached the disk: nothing; now and then more, the last one torn."""
    yield barrier.left([])
    if chance.random() < 0.6:
        return
    pending = barrier.pending
    cut = islice(pending, chance.randint(1, len(pending) or 1))
    any_of = (change for change in pending if chance.random() < 0.5)
    empty = (change for change in pending if not isinstance(change, Wrote))  # names came, and what was in the files not
    kept = list(chance.choice([pending, cut, any_of, empty]))
    if kept and isinstance(kept[-1], Wrote) and chance.random() < 0.5:
        kept[-1] = kept[-1].half()
    yield barrier.left(kept)


def live(folder: Path, disk: Disk, seen: Seen, chance: random.Random, *, outbox: bool) -> None:
    """Accept and work in an order of its own. A mail service refuses some mails."""

    def left(mail: Mail) -> None:
        seen.mailed.append((disk.now, mail))

    clock, answers = FakeClock(), [chance.choice(ANSWERS) for _ in range(EXPORTS)]
    machine = Machine(folder, outbox_in(folder, clock) if outbox else MailService(answers, left), clock)
    waiting = list(range(EXPORTS))
    while waiting:
        for user in [waiting.pop(0) for _ in range(min(chance.randint(1, 3), len(waiting)))]:
            export = machine.accept(user)
            seen.answered.append((disk.now, export.export_id))
        machine.work()
        if chance.random() < 0.3:
            machine.database.read("PRAGMA wal_checkpoint(PASSIVE)")  # as SQLite does when the log has grown
    machine.pass_time()
    machine.close()


def go_on(folder: Path, barrier: Barrier, seen: Seen, *, outbox: bool) -> None:
    """Start the service on what is left, let it work to the end, and see whether its promises were kept."""
    clock, mails = FakeClock(), list[Mail]()
    machine = Machine(folder, outbox_in(folder, clock) if outbox else MailService([], mails.append), clock)
    assert machine.database.read("PRAGMA integrity_check")[0][0] == "ok"
    found = machine.records()
    assert seen.answered_by(barrier.number) <= found.keys(), "an accepted export is gone"
    assert all(machine.has_whole(export) for export in found.values() if export.file), "a record without its file"
    for export_id, numbers in seen.mailed_by(barrier.number).items():
        assert {*numbers} <= {send.number for send in found[export_id].sends}, "a mail left that no record tells of"

    ended = worked_to_the_end(machine)

    assert all(machine.has_whole(export) for export in ended.values())
    assert machine.ports.dead_letters.browse(1) == []
    machine.close()
    if outbox:
        assert mails_in(folder) == {id_: [export.file.sha256] for id_, export in ended.items() if export.file}
    for export_id, before in found.items() if not outbox else ():
        check_mails(before, ended[export_id], sends_of(mails).get(export_id, []))


def worked_to_the_end(machine: Machine) -> dict[str, Export]:
    for _ in range(MOST_PASSES):
        machine.work()
        machine.pass_time()
        ended = machine.records()
        if not any(export.unfinished for export in ended.values()):
            break
    assert {export.status for export in ended.values()} <= {ExportStatus.COMPLETED}
    return ended


def check_mails(before: Export, ended: Export, sent: list[int]) -> None:
    """One more mail where none was accepted; it says that it may be the second one where nobody can tell."""
    evidence = {send.evidence for send in before.current_sends}
    assert len(sent) == (0 if Evidence.ACCEPTED in evidence else 1)
    unclear = bool(evidence & {None, Evidence.SILENT})
    assert all(send.possible_duplicate == unclear for send in ended.sends if send.number in sent)
