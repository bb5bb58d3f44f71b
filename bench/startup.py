"""Start-up: the whole life of a command that does next to nothing."""

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from bench.results import StartupRuns
from bench.service import PROGRAM, Installation

_TOKEN = ("token", "--user-id", "user-1", "--email", "user-1@example.org")
_COMMANDS = {
    "python -c pass": (sys.executable, "-c", "pass"),
    "memberships-export --help": (PROGRAM, "--help"),
    "memberships-export token": (PROGRAM, *_TOKEN),
}


def measure_startup(folder: Path, repeat: int) -> StartupRuns:
    """Run the commands in turn, after a round that is not counted: compiled files and disk cache are there then."""
    environ = Installation(folder / "startup").environ()
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    rounds = [{name: _run(command, environ) for name, command in _COMMANDS.items()} for _ in range(repeat + 1)]
    return StartupRuns(seconds={name: tuple(times[name] for times in rounds[1:]) for name in _COMMANDS})


def _run(command: tuple[str, ...], environ: Mapping[str, str]) -> float:
    begun = time.perf_counter()
    result = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - begun
    assert "--help" not in command or "serve" in result.stdout
    assert "token" not in command or result.stdout.count(".") == 2, "What was printed is no token."
    return seconds
