"""From the request to the mail in the outbox: one small export after the other, each by another user."""

import time
from pathlib import Path
from typing import Any

from bench.checking import check_attachment, check_mail
from bench.results import LatencyRuns
from bench.service import Client, Installation, running

_ROWS = 100
_POLL_SECONDS = 0.001
_PATIENCE_SECONDS = 30.0


def measure_latency(folder: Path, exports: int) -> LatencyRuns:
    """Measure one `serve` process, after one export that is not counted."""
    users = [f"user-{number}" for number in range(exports + 1)]
    installation = Installation(folder / "latency", {"exports_per_hour": "1000"})
    installation.fill(dict.fromkeys(users, _ROWS))
    with running(installation, "serve") as service:
        client = Client(service.url)
        seconds = [_export(installation, client, user_id) for user_id in users]
    assert len(list(installation.outbox.glob("*.eml"))) == len(users)
    return LatencyRuns(rows=_ROWS, seconds=tuple(seconds[1:]))


def _export(installation: Installation, client: Client, user_id: str) -> float:
    token = installation.token(user_id)
    begun = time.perf_counter()
    export_id = client.request_export(token)
    _await_mail(installation.outbox / f"{export_id}.1.eml")
    seconds = time.perf_counter() - begun
    shown = _completed(client, export_id, token)
    mail = check_mail(installation.outbox, shown)
    check_attachment(mail, shown, installation.memberships, user_id)
    assert shown["file"]["rows"] == _ROWS
    return seconds


def _await_mail(path: Path) -> None:
    """Wait for the name: a mail appears whole."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, f"There is no mail {path.name} after {_PATIENCE_SECONDS:.0f} seconds."
        time.sleep(_POLL_SECONDS)


def _completed(client: Client, export_id: str, token: str) -> dict[str, Any]:
    """Wait until the worker has put the mail on the record, so that exports do not overlap."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (shown := client.export(export_id, token))["status"] != "completed":
        assert time.monotonic() < deadline, f"The export is still {shown['status']}."
        time.sleep(_POLL_SECONDS)
    return shown
