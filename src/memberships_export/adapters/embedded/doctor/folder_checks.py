"""Looks at the data folder as the operating system sees it: rights, owner, room, locks. It changes nothing."""

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

from memberships_export.adapters.embedded.backup.half_restored import GROWING
from memberships_export.adapters.embedded.doctor.finding import Finding
from memberships_export.adapters.embedded.machine import dead, living
from memberships_export.adapters.embedded.private import content_of

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LEAST_FREE = 512 * 1024 * 1024  # bytes; one large export takes that
_LEAST_NAMES = 1000  # files that can still be made
_WEAKEST = 32  # bytes of a secret: as long as the hash that it is for (RFC 7518, 3.2)
_FEWEST_CHARACTERS = 10  # different ones; a random secret of 32 bytes has more


def permissions(data: Path) -> Iterator[Finding]:
    """Find what others can read, what belongs to somebody else, and what this user may not write."""
    found = list(_seen(chain([data], content_of(data))))
    real = [(path, known) for path, known in found if not stat.S_ISLNK(known.st_mode)]
    owner = data.stat().st_uid
    if open_ones := [path for path, known in real if known.st_mode & _OTHERS]:
        yield Finding(f"{_named(open_ones)} can be read by others", f"chmod -R go= {data}")
    if foreign := [path for path, known in found if known.st_uid != owner]:
        yield Finding(f"{_named(foreign)} belong to another user than {data} does", f"chown -R {owner} {data}")
    if os.geteuid() not in {owner, 0}:
        yield Finding(
            f"{data} belongs to user {owner}, and this is user {os.geteuid()}", "run this as the user of the service"
        )
    elif closed := [path for path, _ in real if not os.access(path, os.R_OK | os.W_OK) and path.exists()]:
        yield Finding(f"{_named(closed)} cannot be written", f"chmod -R u+rwX {data}")


def space(data: Path) -> Iterator[Finding]:
    """Find a disk that will be full soon."""
    free, names = shutil.disk_usage(data).free, os.statvfs(data)
    if free < _LEAST_FREE:
        yield Finding(
            f"the disk of {data} has {free // 1_000_000:,} MB left", f"free some space: du -xh {data} | sort -h"
        )
    if names.f_files and names.f_favail < _LEAST_NAMES:
        yield Finding(f"the disk of {data} takes {names.f_favail:,} more files", "delete files of others: df -i")


def restores(data: Path) -> Iterator[Finding]:
    """Find a restore that was cut short."""
    if (data / GROWING).exists():
        yield Finding(
            "a restore is under way, or was cut short", "wait for it, or run `memberships-export restore` again"
        )


def processes(data: Path) -> Iterator[Finding]:
    """Find workers that died, where none is left to notice it."""
    folder = data / "processes"
    if (left := dead(folder)) and not living(folder):
        yield Finding(
            f"{len(left)} worker processes died, and none runs that could go on with their exports",
            "start the service: systemctl start memberships-export",
        )


def secrets(data: Path, needed: tuple[str, ...]) -> Iterator[Finding]:
    """Find secrets of the data folder that are gone or weak. `needed`: those that no setting gives."""
    for name in needed:
        path = data / "secrets" / name
        if not path.exists():
            yield Finding(
                f"{path} is not there: a new one is made at the next start, and what the old one signed is refused",
                "restore it from a backup, or let it be made",
            )
        elif _is_weak(path.read_bytes().strip()):
            yield Finding(
                f"{path} is weak: it is short, or no random text", f"rm {path} and restart: a new one is made"
            )


def outbox(data: Path) -> Iterator[Finding]:
    """Find out that no mail could be written."""
    folder = data / "outbox"
    place = folder if folder.exists() else data
    if not (place.is_dir() and os.access(place, os.W_OK | os.X_OK)):
        yield Finding(f"no mail can be written to {folder}", f"chmod u+rwx {place}")


def _seen(paths: Iterable[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    """Look at what is there; a running service deletes files meanwhile."""
    for path in paths:
        with suppress(FileNotFoundError):
            yield path, path.lstat()


def _is_weak(secret: bytes) -> bool:
    return len(secret) < _WEAKEST or len(set(secret)) < _FEWEST_CHARACTERS


def _named(paths: list[Path]) -> str:
    more = f" and {len(paths) - 1:,} more" if len(paths) > 1 else ""
    return f"{paths[0]}{more}"
