"""The rivals: programs of bench/rivals, run where only what they need is installed (requirements/bench.txt)."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which

from bench.processes import processor_seconds
from bench.service import wait_until

CHECKOUT = Path(__file__).parents[1]
PYTHON = CHECKOUT / ".venv-bench" / "bin" / "python"
NOT_INSTALLED = "the rivals are not installed: `make bench` does that"
NO_REDIS = "there is no redis-server on this machine (Debian and Ubuntu: `apt-get install redis-server`)"


def why_no_rivals() -> str:
    """Say what is missing for all of them; empty when nothing is."""
    return "" if PYTHON.exists() else NOT_INSTALLED


def why_no_redis() -> str:
    """Say what is missing for those that need Redis; empty when nothing is."""
    return why_no_rivals() or ("" if which("redis-server") else NO_REDIS)


def run_rival(module: str, *arguments: str | Path) -> bytes:
    """Run one to its end; return what it printed."""
    return subprocess.run(_command(module, arguments), cwd=CHECKOUT, check=True, stdout=subprocess.PIPE).stdout


@contextmanager
def running_rivals(commands: Sequence[Sequence[str | Path]], log: Path) -> Iterator[None]:
    """Run some until the block ends: the first word of each is its module. What they say goes to the log."""
    with log.open("wb") as out:
        processes = [
            subprocess.Popen(_command(str(module), more), cwd=CHECKOUT, stdout=out, stderr=out)
            for module, *more in commands
        ]
    try:
        yield
    finally:
        _stop(processes)


@contextmanager
def running_redis(folder: Path) -> Iterator[Path]:
    """Run a server that has each change on disk before it answers; give its socket."""
    folder.mkdir()
    socket = folder / "redis.sock"
    durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    command = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), *durable]
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log)
    try:
        wait_until(socket.exists, f"{socket} of redis-server")
        yield socket
    finally:
        _stop([process])


def children_seconds() -> float:
    """Return the processor time of all that this process has started so far."""
    own = os.times()
    return processor_seconds(os.getpid()) - own.user - own.system


def _command(module: str, arguments: Sequence[str | Path]) -> list[str | Path]:
    return [PYTHON, "-m", f"bench.rivals.{module}", *arguments]


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    try:
        for process in processes:
            process.wait(timeout=30)
    finally:
        for process in processes:
            process.kill()  # does nothing to one that has ended
