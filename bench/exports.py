"""Large exports: real processes, a fresh worker for each, in turn with a plain dump of the same rows."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.checking import check_file, check_file_rows, check_mail
from bench.dump import count_rows, dump
from bench.results import ExportRun, SizeRuns
from bench.service import Client, Installation, Running, running

_STAGE = re.compile(r"export=(?P<id>\S+) stage=(?P<stage>\w+) seconds=(?P<seconds>[\d.]+) event=stage_done")
_STAGES = ("fetch", "render", "deliver")


def measure_exports(folder: Path, sizes: Sequence[int], repeat: int) -> tuple[SizeRuns, ...]:
    """Export the memberships of one user for each size, all in one database."""
    installation = Installation(folder / "exports", {"workers": "1", "exports_per_hour": "1000"})
    installation.fill({_user(rows): rows for rows in sizes})
    with running(installation, "api") as api:
        return tuple(_Size(installation, api, rows).measure(repeat) for rows in sizes)


def _user(rows: int) -> str:
    return f"user-with-{rows}"


class _Size:
    """One size: dumps and exports in turn."""

    def __init__(self, installation: Installation, api: Running, rows: int) -> None:
        self._installation = installation
        self._api = api
        self._client = Client(api.url)
        self._rows = rows
        self._token = installation.token(_user(rows))
        self._checksums: set[str] = set()

    def measure(self, repeat: int) -> SizeRuns:
        dumps, exports = [], []
        for _ in range(repeat):
            dumps.append(self._dump())
            exports.append(self._export())
        assert len(self._checksums) == 1, "The same rows gave different files."
        return SizeRuns(rows=self._rows, exports=tuple(exports), dump_seconds=tuple(dumps))

    def _dump(self) -> float:
        path = self._installation.data / "dump.csv"
        seconds = dump(self._installation.memberships, _user(self._rows), path)
        assert count_rows(path) == self._rows
        path.unlink()
        return seconds

    def _export(self) -> ExportRun:
        with running(self._installation, "worker", port=self._api.port) as worker:
            export_id = self._client.request_export(self._token)
            stages = stages_until_left(worker, export_id)
            peak_bytes = worker.peak_bytes()
        shown = self._client.export(export_id, self._token)
        self._check(shown)
        return ExportRun(
            rows=shown["file"]["rows"],
            seconds=seconds_of(shown),
            stages=stages,
            peak_bytes=peak_bytes,
            pages=shown["progress"]["pages"],
            csv_bytes=shown["file"]["bytes"],
        )

    def _check(self, shown: dict[str, Any]) -> None:
        check_mail(self._installation.outbox, shown)
        path = self._installation.data / "downloaded.csv"
        self._client.download(shown["exportId"], self._token, path)
        check_file(path, shown, self._rows)
        if not self._checksums:  # every cell once; after that the checksum says the same
            check_file_rows(path, self._installation.memberships, _user(self._rows))
        self._checksums.add(shown["file"]["sha256"])
        path.unlink()


def stages_until_left(worker: Running, export_id: str) -> dict[str, float]:
    """Read the seconds of each stage from the log: asking the API would disturb what is measured."""
    stages: dict[str, float] = {}
    for line in worker.events():
        if (found := _STAGE.search(line)) and found["id"] == export_id:
            stages[found["stage"]] = float(found["seconds"])
        if f"export={export_id} " in line and "event=left" in line:
            break
    assert tuple(stages) == _STAGES, f"The export went through {tuple(stages)}."
    return stages


def seconds_of(shown: Mapping[str, Any]) -> float:
    """Return the seconds from the claim to the accepted mail."""
    begun, ended = (datetime.fromisoformat(shown[name]) for name in ("startedAt", "finishedAt"))
    return (ended - begun).total_seconds()
