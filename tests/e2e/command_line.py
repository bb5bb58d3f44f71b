"""The installed command as processes of its own: the service, and the commands of its users."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import TypeVar

from rig.waiting import PATIENCE_SECONDS, until

PROGRAM = str(Path(sys.executable).parent / "memberships-export")
Environ = Mapping[str, str]
Seen = TypeVar("Seen")


def environ_of(data: Path, **settings: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MEMBERSHIPS_EXPORT_")}
    named = {f"MEMBERSHIPS_EXPORT_{name.upper()}": value for name, value in settings.items()}
    return clean | {"MEMBERSHIPS_EXPORT_DATA_DIR": str(data), "MEMBERSHIPS_EXPORT_PORT": "0"} | named


def run(environ: Environ, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, *arguments], env=environ, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )


@dataclass(frozen=True)
class Running:
    """A process of the service, and the environment that client commands need."""

    process: subprocess.Popen[bytes]
    environ: Environ
    log: Path
    url: str

    def until(self, look: Callable[[], Seen], what: str) -> Seen:
        """Wait as long as the service says anything, and return what is seen."""
        return until(look, what, progress=lambda: self.log.stat().st_size, tell=self.log.read_text)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run(self.environ, *arguments)

    def as_user(self, user_id: str, email: str) -> "Running":
        token = self.run("token", "--user-id", user_id, "--email", email).stdout.strip()
        environ = {**self.environ, "MEMBERSHIPS_EXPORT_TOKEN": token, "MEMBERSHIPS_EXPORT_URL": self.url}
        return Running(self.process, environ, self.log, self.url)

    def ask(self, *arguments: str) -> str:
        result = self.run(*arguments)
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()


@contextmanager
def running(
    environ: Environ, folder: Path, command: str = "serve", *flags: str, program: Sequence[str] = (PROGRAM,)
) -> Iterator[Running]:
    """Run a part of the service until the block ends; it has said all it has to say at start when the block begins."""
    said, log = folder / f"{command}.out", folder / f"{command}.log"
    with said.open("wb") as out, log.open("wb") as err:
        process = subprocess.Popen([*program, command, *flags], env=environ, stdout=out, stderr=err)
    try:
        until(
            lambda: re.search(r"^Mails go to", said.read_text(), re.MULTILINE) or process.poll() is not None,
            f"{command} starting",
            progress=lambda: said.stat().st_size + log.stat().st_size,
            tell=log.read_text,
        )
        found = re.search(r"^Listening on (\S+)$", said.read_text(), re.MULTILINE)
        yield Running(process, environ, log, found[1] if found else "")
    finally:
        process.kill()
        process.wait()


def data_of(running_service: Running) -> Path:
    return Path(running_service.environ["MEMBERSHIPS_EXPORT_DATA_DIR"])


def mails_of(data: Path, export_id: str) -> list[EmailMessage]:
    paths = (data / "outbox").glob("*.eml")
    mails = [BytesParser(policy=policy.default).parsebytes(path.read_bytes()) for path in paths]
    return [mail for mail in mails if mail["X-Export-Id"] == export_id]


def attachments_of(mail: EmailMessage) -> list[bytes]:
    contents = [attachment.get_payload(decode=True) for attachment in mail.iter_attachments()]
    return [content for content in contents if isinstance(content, bytes)]


def files_mailed(data: Path, export_id: str) -> list[bytes]:
    return [content for mail in mails_of(data, export_id) for content in attachments_of(mail)]
