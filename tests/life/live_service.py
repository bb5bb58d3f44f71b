"""A real service in a process of its own, between a fake memberships API and a fake SendGrid."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypeVar

from memberships_export.bootstrap.identity import mint_token
from memberships_export.settings import read_settings
from rig.export_client import Answer, ExportClient
from rig.loopback import free_port
from rig.services.fake_memberships import FakeMemberships
from rig.services.fake_sendgrid import FakeSendGrid
from rig.waiting import until
from tests.log_lines import read_line

ROOT = Path(__file__).parents[2]
PROGRAM = "memberships-export"
PAGE_SIZE = 10


class Api(Protocol):
    """A fake memberships API."""

    url: str
    calls: list[Any]


SomeApi = TypeVar("SomeApi", bound=Api)


class LiveService(Generic[SomeApi]):
    """Starts, kills and asks the service. All its processes share one data folder and one port.

    `user`: who asks. `program`: what is run, after the interpreter. `secrets`: the variables that the profile names.
    """

    user = "user-1"
    program: Sequence[str] = (str(Path(sys.executable).parent / PROGRAM),)
    secrets: Mapping[str, str] = MappingProxyType({})

    def __init__(self, folder: Path, memberships: SomeApi, sendgrid: FakeSendGrid, **settings: str) -> None:
        self.folder, self.memberships, self.sendgrid = folder, memberships, sendgrid
        self.url = f"http://127.0.0.1:{free_port()}"
        own = {
            "DATA_DIR": str(folder / "data"),
            "PORT": self.url.rsplit(":", 1)[1],
            "MEMBERSHIPS_URL": memberships.url,
            "MAILER": "sendgrid",
            "MAIL_FROM": "exports@example.org",
            "SENDGRID_API_KEY": "SG.not-a-real-key",
            "SENDGRID_URL": sendgrid.url,
            "SENDGRID_WEBHOOK_KEY": sendgrid.signer.public_key,
            "PAGE_SIZE": str(PAGE_SIZE),
            "WORKERS": "1",
            "LEASE_SECONDS": "3600",  # nobody who lives loses it; of who has died the machine knows
            "VISIBILITY_SECONDS": "3600",
            "SWEEP_SECONDS": "1",
            "EVIDENCE_WAIT_SECONDS": "6",
            "MEMBERSHIPS_TIMEOUT_SECONDS": "2",
        }
        self.environ = {f"MEMBERSHIPS_EXPORT_{name}": value for name, value in (own | settings).items()}
        self.settings = read_settings(self.environ)
        self.process: subprocess.Popen[bytes] | None = None
        self._workers: list[subprocess.Popen[bytes]] = []
        self._client = ExportClient(self.url, self._token)

    def start(self, kill_at: str = "", role: str = "serve") -> None:
        """Start `serve`, or `api` alone, maybe with a point to die at, and wait until it answers."""
        self.process = self._run(role, kill_at)
        self.until(lambda: self.process_ended() or self._client.answers(), "the service to answer")

    def start_worker(self, *flags: str) -> subprocess.Popen[bytes]:
        """Start one more process on the data folder, which only works."""
        self._workers.append(self._run("worker", "", *flags))
        return self._workers[-1]

    def _run(self, role: str, kill_at: str = "", *flags: str) -> subprocess.Popen[bytes]:
        command = ["-m", "tests.life.killable", kill_at] if kill_at else self.program
        with (self.folder / "log.txt").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *command, role, *flags],
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **self.environ, **self.secrets},
                stdout=log,
                stderr=log,
                process_group=0,  # so that a signal to all of it reaches nobody else
            )

    def request(self, query: str = "") -> Answer | None:
        """Ask for an export; None when the service died instead of answering."""
        return self._client.request(query)

    def status(self, export_id: str) -> Answer:
        return self._client.status(export_id)

    def completed(self, export_id: str) -> Answer:
        """Wait until the export has ended, and return its status."""
        return self._client.ended(export_id, tell=self.log)

    def wait_for_death(self) -> int:
        self.until(self.process_ended, "the process to reach its kill point")
        assert self.process is not None
        return self.process.wait()

    def process_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def until(self, happened: Callable[[], object], what: str) -> None:
        """Wait as long as anything moves."""
        until(happened, what, progress=self._progress, tell=self.log)

    def _progress(self) -> object:
        return (self.folder / "log.txt").stat().st_size, len(self.memberships.calls), self.sendgrid.requests

    def log(self) -> str:
        return (self.folder / "log.txt").read_text(errors="replace")

    def lines(self, event: str) -> list[dict[str, object]]:
        """Return the whole lines of the log that are about an event."""
        whole = (self.folder / "log.txt").read_text(errors="replace").rpartition("\n")[0].splitlines()
        return [read_line(line) for line in whole if f" event={event}" in line]

    def tell_events(self) -> None:
        """Post the events of all accepted mails, as SendGrid does again and again for a day."""
        for mail in self.sendgrid.accepted:
            self.sendgrid.signer.events_for(mail, ["processed", "delivered"]).post(f"{self.url}/webhooks/sendgrid")

    def reconnect(self) -> None:
        """Make a new connection with the next request."""
        self._client.close()

    def stop(self) -> None:
        for process in [*self._workers, *([self.process] if self.process else [])]:
            process.kill()
            process.wait()
        self._client.close()

    def _token(self) -> str:
        return mint_token(self.settings, self.user, "member@example.org", timedelta(hours=1))


@contextmanager
def live_service(
    folder: Path, rows: int, sends: tuple[Any, ...] = (), **settings: str
) -> Iterator[LiveService[FakeMemberships]]:
    """Start between an API of our own contract and SendGrid."""
    with FakeMemberships(rows=rows) as memberships, in_front_of(memberships, folder, sends, **settings) as service:
        yield service


@contextmanager
def in_front_of(
    memberships: SomeApi, folder: Path, sends: tuple[Any, ...] = (), **settings: str
) -> Iterator[LiveService[SomeApi]]:
    """Start between any API and SendGrid."""
    with FakeSendGrid(sends) as sendgrid:
        service = LiveService(folder, memberships, sendgrid, **settings)
        try:
            yield service
        finally:
            service.stop()
