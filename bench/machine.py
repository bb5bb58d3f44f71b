"""Facts about this machine and this checkout, for whoever compares numbers."""

import os
import platform
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

from bench.results import Machine


def this_machine(folder: Path) -> Machine:
    """Describe it; `folder` is where the measured data lies."""
    return Machine(
        cpu=_first("/proc/cpuinfo", r"^model name\s*: (.+)$") or platform.machine(),
        cpus=len(os.sched_getaffinity(0)),
        memory_gb=int(_first("/proc/meminfo", r"^MemTotal:\s+(\d+) kB$") or 0) / 1024**2,
        system=f"{platform.system()} {platform.release()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        sqlite=sqlite3.sqlite_version,
        filesystem=_filesystem(folder),
    )


def revision(checkout: Path) -> str:
    """Name the commit that is measured, and say so when files differ from it."""
    if not (checkout / ".git").exists() or not shutil.which("git"):
        return "unknown (no git checkout)"
    changed = _git(checkout, "status", "--porcelain", "--", "src", "bench", "requirements")
    return _git(checkout, "rev-parse", "--short", "HEAD") + (" with uncommitted changes" if changed else "")


def _git(checkout: Path, *arguments: str) -> str:
    command = [shutil.which("git") or "git", "-C", str(checkout), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _first(path: str, pattern: str) -> str | None:
    found = re.search(pattern, Path(path).read_text(), re.MULTILINE)
    return found[1] if found else None


def _filesystem(folder: Path) -> str:
    """Find the type of the mount that holds the folder: of the same path the one mounted last."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    holding = [(mount[1], mount[2]) for mount in reversed(mounts) if folder.resolve().is_relative_to(mount[1])]
    return max(holding, key=lambda mount: len(mount[0]))[1]
