"""A backlog: many small exports wait in the queue, then one worker process starts."""

from datetime import datetime
from pathlib import Path

from bench.checking import check_attachment, check_mail
from bench.results import BacklogRun
from bench.service import Client, Installation, Running, running

_ROWS = 10
_THREADS = 4


def measure_backlog(folder: Path, exports: int) -> BacklogRun:
    """Queue all requests through the API, each of another user, then let a worker finish them."""
    users = [f"user-{number}" for number in range(exports)]
    installation = Installation(folder / "backlog", {"workers": str(_THREADS)})
    installation.fill(dict.fromkeys(users, _ROWS))
    tokens = {user_id: installation.token(user_id) for user_id in users}
    with running(installation, "api") as api:
        client = Client(api.url)
        queued = {user_id: client.request_export(token) for user_id, token in tokens.items()}
        with running(installation, "worker", port=api.port) as worker:
            seconds = _work_off(worker, exports)
        for user_id, export_id in queued.items():
            shown = client.export(export_id, tokens[user_id])
            check_attachment(check_mail(installation.outbox, shown), shown, installation.memberships, user_id)
            assert shown["file"]["rows"] == _ROWS
    assert len(list(installation.outbox.glob("*.eml"))) == exports
    return BacklogRun(exports=exports, rows=_ROWS, threads=_THREADS, seconds=seconds)


def _work_off(worker: Running, exports: int) -> float:
    """Follow the worker's log from the first claim to the last accepted mail, then until the last export is left."""
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
