"""What the timeline adds to a small export: processor time of a worker, with it and without it, in turns.

The audit log adds nothing: an export that nobody steers has no entry in it, which is looked at here too.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from time import process_time
from unittest.mock import patch

from bench.results import PartsRuns
from bench.service import Installation, running
from memberships_export.bootstrap import backend
from memberships_export.domain.audit import AuditQuery
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.ports import Ports
from memberships_export.service import record
from memberships_export.service.assembly import Services, assemble
from memberships_export.service.user.request import Wish
from memberships_export.service.worker.run import Acknowledge
from memberships_export.settings import read_settings

_ROWS = 10


def measure_small_parts(folder: Path, rounds: int, exports: int = 20) -> PartsRuns:
    """Let this process work off small exports over the adapters of one machine; who goes first takes turns.

    `exports`: how many there are between two looks at the clock.
    """
    users = [f"user-{number}" for number in range(2 * exports * (rounds + 1))]
    installation = Installation(folder / "parts")
    installation.fill(dict.fromkeys(users, _ROWS))
    with running(installation, "api") as api, _worker(installation, api.url) as worker:
        left = iter(users)
        measured = [_round(worker, left, exports, timeline_first=bool(number % 2)) for number in range(rounds + 1)][1:]
        worker.check(users[-1])
    return PartsRuns(
        rows=_ROWS,
        exports=exports,
        with_timeline=tuple(with_it for with_it, _ in measured),
        without=tuple(without for _, without in measured),
    )


class _Worker:
    """A worker of one thread, in this process."""

    def __init__(self, ports: Ports, services: Services) -> None:
        self._ports, self._services = ports, services

    def ask(self, user_id: str) -> None:
        assert self._services.request(Wish(user_id=user_id, email=f"{user_id}@example.org")).created

    def work_off(self) -> None:
        while received := self._ports.queue.receive(0):
            assert self._services.run(received, lambda: False) == Acknowledge()
            self._ports.queue.acknowledge(received)

    def check(self, user_id: str) -> None:
        """See that an export was mailed, and that the audit log has nothing of any."""
        [export] = self._ports.store.list_for_user(user_id, limit=2)
        assert export.status is ExportStatus.COMPLETED
        assert not self._ports.audit.read(AuditQuery()).entries


@contextmanager
def _worker(installation: Installation, memberships_url: str) -> Iterator[_Worker]:
    settings = read_settings(installation.environ())
    ports = backend.connect(settings, memberships_url)
    yield _Worker(ports, assemble(ports, settings.policy, backend.download_links(settings, memberships_url)))


def _round(worker: _Worker, users: Iterator[str], exports: int, *, timeline_first: bool) -> tuple[float, float]:
    """Return processor seconds of one export, with the timeline and without it."""
    seconds = {
        with_it: _seconds(worker, users, exports, with_it=with_it) for with_it in (timeline_first, not timeline_first)
    }
    return seconds[True], seconds[False]


def _seconds(worker: _Worker, users: Iterator[str], exports: int, *, with_it: bool) -> float:
    for _ in range(exports):
        worker.ask(next(users))
    with nullcontext() if with_it else patch.object(record, "noted", _nothing_noted):
        begun = process_time()
        worker.work_off()
        return (process_time() - begun) / exports


def _nothing_noted(_old: Export, new: Export, _at: datetime) -> Export:
    return new
