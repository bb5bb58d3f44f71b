"""The service as a child process, for as long as a demo needs it."""

import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from memberships_export.entrypoints.cli.exits import CommandError
from memberships_export.entrypoints.cli.program import module_command

_START_SECONDS = 30.0
_STOP_SECONDS = 6.0  # the service itself takes at most five
_LISTENING = re.compile(rb"^Listening on +(http://\S+)$", re.MULTILINE)


@contextmanager
def running_service(environ: Mapping[str, str], log: Path) -> Iterator[str]:
    """Start `serve`, give its URL, and leave no process behind. Raises CommandError when it does not come up."""
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603  (this program itself)
            [*module_command(), "serve"],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        try:
            yield _url(process, log)
        finally:
            _end(process)


def log_tail(log: Path, lines: int = 20) -> str:
    """Return the last lines of a log, nothing if there is none."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _url(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := _LISTENING.search(log.read_bytes()):
            return found[1].decode()
        time.sleep(0.02)
    raise CommandError("The service did not start.")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask it to end, and end it when it takes too long, or when somebody becomes impatient (a second Ctrl-C)."""
    process.terminate()
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
    finally:
        process.kill()
        process.wait()
