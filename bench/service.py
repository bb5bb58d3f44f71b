"""The service as a user runs it: an installation in a folder, its processes, and a client."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import urllib3

from bench.processes import peak_bytes
from memberships_api.sample import sample_memberships
from memberships_api.sqlite_repository import SqliteMembershipRepository
from memberships_export.bootstrap.identity import mint_token
from memberships_export.settings import read_settings

PROGRAM = str(Path(sys.executable).parent / "memberships-export")
_PATIENCE_SECONDS = 1800.0
_LOOK_AGAIN_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Installation:
    """A data folder of its own. `settings`: names and values of settings, lower case without prefix."""

    data: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    def environ(self, **more: str) -> dict[str, str]:
        """Return the environment of its processes; nothing of the caller's settings is in it."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MEMBERSHIPS_EXPORT_")}
        settings = {"data_dir": str(self.data), "port": "0"} | dict(self.settings) | more
        return clean | {f"MEMBERSHIPS_EXPORT_{name.upper()}": value for name, value in settings.items()}

    def fill(self, rows_of_user: Mapping[str, int]) -> None:
        """Add so many memberships of each user, one user after the other."""
        self.data.mkdir(mode=0o700, parents=True)
        repository = SqliteMembershipRepository(self.memberships)
        rows, first_id = [], 1
        for user_id, count in rows_of_user.items():
            rows.append(sample_memberships(count, user_id, first_id))
            first_id += count
        assert repository.add(chain.from_iterable(rows)) == sum(rows_of_user.values())
        repository.close()

    def token(self, user_id: str) -> str:
        """Make a user's token; the command `token` would take most of a second for each."""
        settings = read_settings(self.environ())
        return mint_token(settings, user_id, f"{user_id}@example.org", timedelta(hours=24))

    @property
    def memberships(self) -> Path:
        """The database of the bundled memberships API."""
        return self.data / "memberships.db"

    @property
    def outbox(self) -> Path:
        """Where the mails arrive."""
        return self.data / "outbox"


@dataclass(frozen=True, slots=True)
class Running:
    """A process of the service. `url` is empty for a worker."""

    process: subprocess.Popen[bytes]
    log: Path
    url: str

    @property
    def port(self) -> str:
        """The port it listens on, as a setting."""
        return self.url.rpartition(":")[2]

    def events(self) -> Iterator[str]:
        """Give the lines of its log as they come. Raises TimeoutError when it ended, or nothing is left to come."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with self.log.open() as lines:
            line = ""
            while time.monotonic() < deadline and self.process.poll() is None:
                line += lines.readline()
                if line.endswith("\n"):
                    yield line
                    line = ""
                else:
                    time.sleep(_LOOK_AGAIN_SECONDS)
        raise TimeoutError(f"The process did not do its part; the end of its log:\n{self.log.read_text()[-2000:]}")

    def peak_bytes(self) -> int:
        """Return the most memory that it held at once, or one of the processes that it started."""
        return peak_bytes(self.process.pid)


def wait_until(there: Callable[[], bool], what: str) -> None:
    """Look again and again. Raises TimeoutError when it does not come."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not there():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {_PATIENCE_SECONDS:.0f} seconds.")
        time.sleep(_LOOK_AGAIN_SECONDS)


@contextmanager
def running(installation: Installation, command: str, **settings: str) -> Iterator[Running]:
    """Run a part of the service until the block ends; when the block begins it is ready."""
    said, log = installation.data / f"{command}.out", installation.data / f"{command}.log"
    with said.open("wb") as out, log.open("wb") as err:
        process = subprocess.Popen([PROGRAM, command], env=installation.environ(**settings), stdout=out, stderr=err)
    try:
        yield Running(process, log, _url_when_ready(process, said, log))
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        finally:
            process.kill()  # does nothing to one that has ended


def _url_when_ready(process: subprocess.Popen[bytes], said: Path, log: Path) -> str:
    while "Mails go to" not in (text := said.read_text()):
        assert process.poll() is None, f"The service did not start:\n{log.read_text()}"
        time.sleep(_LOOK_AGAIN_SECONDS)
    found = re.search(r"^Listening on (\S+)$", text, re.MULTILINE)
    return found[1] if found else ""


class Client:
    """A user's program, with one connection to the service."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(retries=False, timeout=60)

    def request_export(self, token: str) -> str:
        """Ask for a new export and return its id."""
        answer = self._pool.request("GET", f"{self._url}/memberships/export", headers=_bearer(token))
        assert answer.status == 202, f"The request was answered with {answer.status}: {answer.data!r}"
        export_id = answer.json()["exportId"]
        assert isinstance(export_id, str)
        return export_id

    def export(self, export_id: str, token: str) -> dict[str, Any]:
        """Read the export as its user sees it."""
        answer = self._pool.request("GET", f"{self._url}/memberships/exports/{export_id}", headers=_bearer(token))
        assert answer.status == 200, f"The export was answered with {answer.status}: {answer.data!r}"
        shown: dict[str, Any] = answer.json()
        return shown

    def page_type(self, token: str, accept: str) -> str:
        """Ask for a page of memberships; return its media type."""
        headers = {**_bearer(token), "Accept": accept}
        answer = self._pool.request("GET", f"{self._url}/memberships?limit=1", headers=headers)
        assert answer.status == 200, f"The page was answered with {answer.status}: {answer.data!r}"
        return answer.headers["Content-Type"]

    def download(self, export_id: str, token: str, path: Path) -> None:
        """Get the file of a finished export."""
        url = f"{self._url}/memberships/exports/{export_id}/file"
        answer = self._pool.request("GET", url, headers=_bearer(token), preload_content=False)
        assert answer.status == 200, f"The file was answered with {answer.status}."
        with path.open("wb") as file:
            for chunk in answer.stream(1024 * 1024):
                file.write(chunk)
        answer.release_conn()


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
