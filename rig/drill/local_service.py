"""A service of its own in a folder, that starts again by itself, as a service that systemd looks after does.

A person on call works on it in another terminal: `. FOLDER/service.env` gives that one the settings and the commands.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from shlex import quote
from types import MappingProxyType
from typing import Final, Self

from memberships_export.bootstrap.backend import connect
from memberships_export.bootstrap.identity import mint_token
from memberships_export.ports import Ports
from memberships_export.settings import PREFIX, Settings, read_settings
from rig.drill.outside import Around
from rig.export_client import ExportClient
from rig.loopback import free_port
from rig.waiting import PATIENCE_SECONDS, until

PROGRAM: Final = Path(sys.executable).parent / "memberships-export"
SERVICE_SECRET: Final = "the-secret-that-both-sides-had-until-today"
_PAUSE_SECONDS: Final = 0.2  # between two starts


class LocalService:
    """`serve` between a memberships API and SendGrid, both fakes. Entered, it keeps running until it is left."""

    def __init__(self, folder: Path, around: Around, more: Mapping[str, str] = MappingProxyType({})) -> None:
        """`more`: settings by name, without the prefix of their variables."""
        api, mail = around.api, around.mail
        self.folder, self.api, self.mail = folder, api, mail
        self.url = f"http://127.0.0.1:{free_port()}"
        self.env_file, self.log_file = folder / "service.env", folder / "serve.log"
        self._pid_file = folder / "serve.pid"
        self.stopped = folder / "stopped"  # while this file is there, it does not start again
        self.process: subprocess.Popen[bytes] | None = None
        self._leaving, self._beside = threading.Event(), ExitStack()
        self._keeper = threading.Thread(target=self._keep_running, name="keeper")
        self._write_settings(more)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def _write_settings(self, more: Mapping[str, str]) -> None:
        """Write what a person would have in /etc/memberships-export.env, by name of the setting without its prefix."""
        own = {
            "DATA_DIR": str(self.data),
            "PORT": self.url.rsplit(":", 1)[1],
            "URL": self.url,
            "MEMBERSHIPS_URL": self.api.url,
            "SERVICE_SECRET": SERVICE_SECRET,
            "MAILER": "sendgrid",
            "MAIL_FROM": "exports@example.org",
            "SENDGRID_API_KEY": self.mail.key,
            "SENDGRID_URL": self.mail.url,
            "SENDGRID_WEBHOOK_KEY": self.mail.signer.public_key,
            "METRICS_PORT": str(free_port()),
            "SWEEP_SECONDS": "1",
            "WORKERS": "1",  # all of it is the one process that situations stop and kill
            "LONGEST_BACK_OFF_SECONDS": "20",  # nobody waits a quarter of an hour in an exercise
        }
        lines = [f"export {PREFIX}{name}={quote(value)}" for name, value in (own | dict(more)).items()]
        path = f"export PATH={quote(str(PROGRAM.parent))}:$PATH"
        self.env_file.touch(mode=0o600)
        self.env_file.write_text("\n".join([path, *lines, ""]), encoding="utf-8")

    def variables(self) -> dict[str, str]:
        """Return the settings as they are in the file now, whoever changed it."""
        command = ["sh", "-c", f". {quote(str(self.env_file))} && env -0"]
        found = subprocess.run(command, env={"PATH": os.environ["PATH"]}, capture_output=True, check=True).stdout
        pairs = [pair.split("=", 1) for pair in found.decode().split("\0") if "=" in pair]
        return {name: value for name, value in pairs if name == "PATH" or name.startswith(PREFIX)}

    @property
    def settings(self) -> Settings:
        client = {f"{PREFIX}URL", f"{PREFIX}TOKEN"}
        return read_settings({name: value for name, value in self.variables().items() if name not in client})

    def ports(self) -> Ports:
        """Open its data beside it, as a command of an operator does."""
        return connect(self.settings, None)

    def member(self, user_id: str = "user-1", email: str = "member@example.org") -> ExportClient:
        return ExportClient(self.url, lambda: mint_token(self.settings, user_id, email, timedelta(hours=1)))

    def type(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Type a command of ours in the terminal of the person on call."""
        environ = self.variables() | {"COLUMNS": "160"}
        return subprocess.run([PROGRAM, *arguments], env=environ, capture_output=True, text=True, check=False)

    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""

    def wait_for(self, *texts: str) -> str:
        """Wait until a line of the log has one of these texts, and return the line."""

        def line() -> str:
            return next((line for line in self.log().splitlines() if any(text in line for text in texts)), "")

        return until(line, f"a line with one of {texts}", progress=lambda: len(self.log()), tell=self.log)

    @property
    def pid(self) -> int:
        """Its process. AssertionError when it does not run."""
        assert self.process, "The service does not run."
        return self.process.pid

    def beside(self, other: AbstractContextManager[object]) -> None:
        """Keep something entered beside the service, until it is left."""
        self._beside.enter_context(other)

    def __enter__(self) -> Self:
        self._keeper.start()
        client = self.member("nobody")
        try:
            until(
                lambda: self._told() and client.answers(),
                "the service to answer",
                progress=lambda: len(self.log()),
                tell=self.log,
            )
        except BaseException:
            self.__exit__()
            raise
        finally:
            client.close()
        return self

    def _told(self) -> bool:
        """Tell whether the file with its process is written: that may be later than its first answer."""
        return self._pid_file.exists() and self._pid_file.read_text(encoding="utf-8").endswith("\n")

    def __exit__(self, *_: object) -> None:
        self._beside.close()
        self._leaving.set()
        self._kill()
        self._keeper.join()

    def stop(self) -> None:
        """End it, and keep it from starting again."""
        self.stopped.touch()
        self._kill()
        until(lambda: self.process is None, "its end", progress=lambda: len(self.log()), tell=self.log)

    def _kill(self) -> None:
        if process := self.process:
            with suppress(ProcessLookupError):
                process.kill()  # also one that is stopped by SIGSTOP
            process.wait(PATIENCE_SECONDS)

    def _keep_running(self) -> None:
        while not self._leaving.is_set():
            if not self.stopped.exists():
                self._run_once()
            self._leaving.wait(_PAUSE_SECONDS)

    def _run_once(self) -> None:
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "serve"], env=self.variables(), stdout=log, stderr=log, start_new_session=True
            )
        self._pid_file.write_text(f"{self.process.pid}\n", encoding="utf-8")
        if self._leaving.is_set():
            self.process.kill()
        self.process.wait()
        self.process = None
