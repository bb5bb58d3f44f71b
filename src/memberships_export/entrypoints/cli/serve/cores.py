"""How many cores this service may use: what a container or systemd leaves it, not what the machine has."""

import os
from collections.abc import Callable, Iterator
from math import ceil
from pathlib import Path, PurePosixPath

_GROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def cores_here(groups: Path = _GROUPS, own: Path = _OWN) -> int:
    """Return the cores that the scheduler gives us, and no more than the quota of our control group; at least 1.

    https://docs.kernel.org/admin-guide/cgroup-v2.html (cpu.max), and for version 1
    https://docs.kernel.org/scheduler/sched-bwc.html (cpu.cfs_quota_us).
    """
    return max(1, min([_allowed(), *map(ceil, _quotas(groups, own))]))


def _allowed() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas(groups: Path, own: Path) -> Iterator[float]:
    for line in _text(own).splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _along(groups, path, _of_version_2)
        elif "cpu" in controllers.split(","):
            yield from _along(groups / "cpu", path, _of_version_1)


def _along(root: Path, path: str, quota: Callable[[Path], str]) -> Iterator[float]:
    """Read the quotas of a group and of all above it; within a container the root is its own group."""
    inside = PurePosixPath(path.lstrip("/"))
    for group in (inside, *inside.parents):
        limit, _, period = quota(root / group).partition(" ")
        if limit.isdigit() and period.isdigit():  # "max" and -1: none
            yield int(limit) / int(period)


def _of_version_2(group: Path) -> str:
    return _text(group / "cpu.max").strip()


def _of_version_1(group: Path) -> str:
    return f"{_text(group / 'cpu.cfs_quota_us').strip()} {_text(group / 'cpu.cfs_period_us').strip()}"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:  # there is none here
        return ""
