"""A real service in a process of its own, between a fake memberships API and a fake SendGrid."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import urllib3

from memberships_export import bootstrap
from memberships_export.settings import read_settings
from tests.rig.fake_memberships import FakeMemberships
from tests.rig.fake_sendgrid import FakeSendGrid

ROOT = Path(__file__).parents[2]
PROGRAM = "memberships-export"
PAGE_SIZE = 10
Answer = dict[str, Any]


class LiveService:
    """Starts, kills and asks the service. All its processes share one data folder and one port."""

    def __init__(self, folder: Path, memberships: FakeMemberships, sendgrid: FakeSendGrid, **settings: str) -> None:
        self.folder, self.memberships, self.sendgrid = folder, memberships, sendgrid
        self.url = f"http://127.0.0.1:{_free_port()}"
        own = {
            "DATA_DIR": str(folder / "data"),
            "PORT": self.url.rsplit(":", 1)[1],
            "MEMBERSHIPS_URL": memberships.url,
            "MAILER": "sendgrid",
            "SENDGRID_API_KEY": "SG.not-a-real-key",
            "SENDGRID_URL": sendgrid.url,
            "SENDGRID_WEBHOOK_KEY": sendgrid.signer.public_key,
            "PAGE_SIZE": str(PAGE_SIZE),
            "WORKERS": "1",
            "LEASE_SECONDS": "2",
            "VISIBILITY_SECONDS": "2",
            "SWEEP_SECONDS": "1",
            "EVIDENCE_WAIT_SECONDS": "2",
            "MEMBERSHIPS_TIMEOUT_SECONDS": "10",
        }
        self.environ = {f"MEMBERSHIPS_EXPORT_{name}": value for name, value in (own | settings).items()}
        self.settings = read_settings(self.environ)
        self.process: subprocess.Popen[bytes] | None = None
        self._http = urllib3.PoolManager(retries=False, timeout=10)

    def start(self, kill_at: str = "") -> None:
        """Start `serve`, maybe with a point to die at, and wait until it answers."""
        command = ["-m", "tests.life.killable", kill_at] if kill_at else [str(Path(sys.executable).parent / PROGRAM)]
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command, "serve"],
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **self.environ},
                stdout=log,
                stderr=log,
            )
        self.until(lambda: self.process_ended() or self._answers(), "the service to answer")

    def request(self) -> Answer | None:
        """Ask for an export; None when the service died instead of answering."""
        answer = self._ask("GET", "/memberships/export")
        assert answer is None or answer["status_code"] in (200, 202), answer
        return answer

    def status(self, export_id: str) -> Answer:
        answer = self._ask("GET", f"/memberships/exports/{export_id}")
        assert answer is not None, self.log()
        return answer

    def completed(self, export_id: str) -> Answer:
        """Wait until the export is completed, and return its status."""
        self.until(lambda: self.status(export_id)["status"] not in ("queued", "running", "waiting"), "an end")
        return self.status(export_id)

    def wait_for_death(self) -> int:
        self.until(self.process_ended, "the process to reach its kill point")
        assert self.process is not None
        return self.process.wait()

    def process_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def until(self, happened: Callable[[], object], what: str, seconds: float = 40) -> None:
        """Look again and again until it has happened."""
        end = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < end, f"Waited {seconds} s for {what}.\n{self.log()}"
            time.sleep(0.05)

    def log(self) -> str:
        return (self.folder / "log.txt").read_text(errors="replace")[-6000:]

    def tell_events(self) -> None:
        """Post the events of all accepted mails, as SendGrid does again and again for a day."""
        for mail in self.sendgrid.accepted:
            self.sendgrid.signer.events_for(mail, ["processed", "delivered"]).post(f"{self.url}/webhooks/sendgrid")

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._http.clear()

    def _answers(self) -> bool:
        return self._ask("GET", "/healthz") is not None

    def _ask(self, method: str, path: str) -> Answer | None:
        token = bootstrap.mint_token(self.settings, "user-1", "member@example.org", timedelta(hours=1))
        try:
            response = self._http.request(method, self.url + path, headers={"Authorization": f"Bearer {token}"})
        except urllib3.exceptions.HTTPError:
            return None
        return {"status_code": response.status, **(json.loads(response.data) if response.data else {})}


@contextmanager
def live_service(folder: Path, rows: int, sends: tuple[Any, ...] = (), **settings: str) -> Iterator[LiveService]:
    with FakeMemberships(rows=rows) as memberships, FakeSendGrid(sends) as sendgrid:
        service = LiveService(folder, memberships, sendgrid, **settings)
        try:
            yield service
        finally:
            service.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
