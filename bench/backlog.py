"""A backlog: many small exports wait in the queue, then workers start; in turns with the queues of others."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

from bench.checking import check_attachment, check_mail
from bench.queues import QUEUES, Jobs, TaskQueue, work_off
from bench.rival_programs import children_seconds
from bench.rival_results import OURS, OURS_SPREAD, BacklogRun, BacklogRuns
from bench.service import Client, Installation, Running, running

_ROWS = 10
# By name: processes, and threads of each. Four exports at a time, as the rivals have workers.
_WAYS: Mapping[str, tuple[int, int]] = {OURS: (1, 4), OURS_SPREAD: (2, 2)}


def measure_backlog(folder: Path, exports: int, repeat: int) -> BacklogRuns:
    """Let everybody work off the same exports, each of another user, in turns; what is slow gets one turn."""
    installation = Installation(folder / "backlog", {"exports_per_hour": "1000"})
    users = [f"user-{number}" for number in range(exports)]
    installation.fill(dict.fromkeys(users, _ROWS))
    tokens = {user_id: installation.token(user_id) for user_id in users}
    missing = {name: queue.why_not() for name, queue in QUEUES.items() if queue.why_not()}
    runs: dict[str, list[BacklogRun]] = {name: [] for name in (*_WAYS, *QUEUES) if name not in missing}
    with running(installation, "api") as api:
        backlog = _Backlog(installation, api, tokens)
        for number in range(repeat):
            for name, (processes, threads) in _WAYS.items():
                runs[name].append(backlog.ours(processes, threads))
            for name, queue in QUEUES.items():
                if name in runs and not (queue.once and number):
                    runs[name].append(backlog.theirs(queue))
    return BacklogRuns(
        exports=exports, rows=_ROWS, runs={name: tuple(some) for name, some in runs.items()}, missing=missing
    )


@dataclass(frozen=True, slots=True)
class _Backlog:
    """The exports, and the API that all of them fetch from."""

    installation: Installation
    api: Running
    tokens: Mapping[str, str]
    _numbers: Iterator[int] = field(default_factory=count)

    def ours(self, processes: int, threads: int) -> BacklogRun:
        """Queue all requests through the API, then let `worker` finish them."""
        client = Client(self.api.url)
        queued = {user_id: client.request_export(token) for user_id, token in self.tokens.items()}
        settings = {"port": self.api.port, "workers": str(processes), "worker_threads": str(threads)}
        before = children_seconds()
        with running(self.installation, "worker", **settings) as worker:
            seconds = _work_off(worker, len(queued))
        processor = children_seconds() - before
        for user_id, export_id in queued.items():
            self._check(client, user_id, export_id)
        self._forget_mails(len(queued))
        return BacklogRun(seconds=seconds, processor_seconds=processor)

    def theirs(self, queue: TaskQueue) -> BacklogRun:
        """Give the same users to a task queue."""
        jobs = Jobs(f"{self.api.url}/memberships", self.tokens, self.installation.memberships)
        return work_off(self.installation.data / f"turn-{next(self._numbers)}", queue, jobs)

    def _check(self, client: Client, user_id: str, export_id: str) -> None:
        shown = client.export(export_id, self.tokens[user_id])
        mail = check_mail(self.installation.outbox, shown)
        check_attachment(mail, shown, self.installation.memberships, user_id)
        assert shown["file"]["rows"] == _ROWS

    def _forget_mails(self, wanted: int) -> None:
        """Count them, and take them out of the way of the next turn."""
        mails = list(self.installation.outbox.glob("*.eml"))
        assert len(mails) == wanted
        for mail in mails:
            mail.unlink()


def _work_off(worker: Running, exports: int) -> float:
    """Follow the log from the first claim to the last accepted mail, then until the last export is left."""
    claimed, sent, left = [], [], 0
    for line in worker.events():
        words = line.split()
        if "event=claimed" in words:
            claimed.append(_time(line))
        if "event=sent" in words:
            sent.append(_time(line))
        left += {"event=left", "status=completed"}.issubset(words)
        if left == exports:
            break
    assert len(sent) == exports
    return (max(sent) - min(claimed)).total_seconds()


def _time(line: str) -> datetime:
    return datetime.fromisoformat(line.partition(" ")[0])
