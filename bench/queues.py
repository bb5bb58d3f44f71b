"""Task queues: the same small exports as jobs of theirs, with four workers each."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from pathlib import Path

from bench.checking import check_rows
from bench.rival_programs import (
    children_seconds,
    run_rival,
    running_redis,
    running_rivals,
    why_no_redis,
    why_no_rivals,
)
from bench.rival_results import BacklogRun

_PATIENCE_SECONDS = 60.0  # without a mail
_LOOK_AGAIN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Jobs:
    """Jobs to be done: whose memberships, with which token, by which API, and the database to check them against."""

    url: str
    tokens: Mapping[str, str]
    memberships: Path


@dataclass(frozen=True, slots=True)
class TaskQueue:
    """One way to run jobs: the module of its programs, and how many processes of which verb to start."""

    module: str
    verb: str = "work"  # starts four processes by itself
    processes: int = 1
    redis: bool = True
    once: bool = False  # takes so long, beside others of its kind, that it gets one turn

    def why_not(self) -> str:
        """Say what is missing; empty when nothing is."""
        return why_no_redis() if self.redis else why_no_rivals()


RQ_FORK, RQ_SIMPLE, CELERY, HUEY = "RQ, a fork for each job", "RQ, SimpleWorker", "Celery, prefork", "huey"
QUEUES: Mapping[str, TaskQueue] = {
    RQ_FORK: TaskQueue("rq_jobs", "fork", 4, once=True),
    RQ_SIMPLE: TaskQueue("rq_jobs", "simple", 4, once=True),
    CELERY: TaskQueue("celery_jobs"),
    HUEY: TaskQueue("huey_jobs", redis=False),
}


def work_off(folder: Path, queue: TaskQueue, jobs: Jobs) -> BacklogRun:
    """Queue all jobs, then start the workers. The time is from the begin of the first job to the last mail."""
    outbox = folder / "outbox"
    outbox.mkdir(parents=True)
    asked = folder / "jobs.json"
    asked.write_text(json.dumps([[jobs.url, token, user_id, str(outbox)] for user_id, token in jobs.tokens.items()]))
    log = folder / "workers.log"
    with _place(folder, queue) as place:
        run_rival(queue.module, "fill", place, asked)
        before = children_seconds()
        with running_rivals([(queue.module, queue.verb, place)] * queue.processes, log):
            _await_mails(outbox, len(jobs.tokens), log)
        processor = children_seconds() - before
    begun = [_check(outbox, user_id, jobs.memberships) for user_id in jobs.tokens]
    ended = max(path.stat().st_mtime for path in outbox.glob("*.eml"))
    return BacklogRun(seconds=ended - min(begun), processor_seconds=processor)


@contextmanager
def _place(folder: Path, queue: TaskQueue) -> Iterator[Path]:
    """Give where it keeps its jobs: a server's socket, or a file."""
    if queue.redis:
        with running_redis(folder / "redis") as socket:
            yield socket
    else:
        yield folder / "queue.db"


def _await_mails(outbox: Path, count: int, log: Path) -> None:
    seen, deadline = 0, time.monotonic() + _PATIENCE_SECONDS
    while seen < count:
        time.sleep(_LOOK_AGAIN_SECONDS)
        found = len(list(outbox.glob("*.eml")))
        if found > seen:
            seen, deadline = found, time.monotonic() + _PATIENCE_SECONDS
        if time.monotonic() > deadline:
            raise TimeoutError(f"There are {seen} mails of {count}; the end of the log:\n{log.read_text()[-2000:]}")


def _check(outbox: Path, user_id: str, memberships: Path) -> float:
    """Compare every cell of the mail's attachment with the database; return when its job began."""
    mail = BytesParser(policy=policy.default).parsebytes((outbox / f"{user_id}.eml").read_bytes())
    (attachment,) = (part.get_payload(decode=True) for part in mail.iter_attachments())
    assert isinstance(attachment, bytes)
    check_rows(attachment.decode().splitlines(keepends=True), memberships, user_id)
    return float(mail["X-Begun"])
