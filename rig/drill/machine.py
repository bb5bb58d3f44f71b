"""What happens to the machine under a service: disks fill up and are lost, backups are made, machines are replaced."""

import re
import shutil
import sqlite3
import subprocess
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from rig.drill.local_service import LocalService
from rig.loopback import free_port

_SMALL: Final = "size=24m"
_BLOCK: Final = 4096


class NoSmallDisk(Exception):
    """This user, or this container, may not mount one."""


def mount_small_disk(folder: Path) -> None:
    """Put a small disk under the data folder. Raises NoSmallDisk."""
    folder.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", f"{_SMALL},mode=0700", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False) if shutil.which("mount") else None
    if done is None or done.returncode:
        raise NoSmallDisk("A disk that is full needs one of its own, and only root may mount it: run this as root.")


def unmount(folder: Path) -> None:
    """Take the small disk away again."""
    command = ["umount", str(folder)]
    subprocess.run(command, check=True)


def fill(folder: Path) -> None:
    """Write a file until nothing more fits on its disk."""
    with (folder / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(_BLOCK))


def back_up(service: LocalService) -> None:
    """Make a backup beside the service: by its own command, or as long as there is none, by hand."""
    target = service.folder / "backup"
    if service.type("backup", str(target)).returncode == 0:
        return
    target.mkdir(mode=0o700, exist_ok=True)
    databases = (sqlite3.connect(folder / "exports.db") for folder in (service.data, target))
    with closing(next(databases)) as source, closing(next(databases)) as copy:
        source.backup(copy)
    for name in ("files", "secrets"):
        shutil.copytree(service.data / name, target / name, dirs_exist_ok=True)


def lose(folder: Path) -> None:
    """Lose everything in a folder."""
    shutil.rmtree(folder)


def write_as_newer_version(data: Path) -> None:
    """Leave the database as a newer version of the program does."""
    with closing(sqlite3.connect(data / "exports.db")) as database:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        database.execute(f"PRAGMA user_version = {version + 1}")


def new_machine(service: LocalService) -> Path:
    """Make an empty folder with settings of its own, where nothing runs yet."""
    folder = service.folder / "new-machine"
    folder.mkdir(mode=0o700)
    port = str(free_port())
    text = service.env_file.read_text(encoding="utf-8")
    text = re.sub(r"^.*METRICS_PORT.*\n", "", text, flags=re.MULTILINE)
    own = text.replace(str(service.data), str(folder / "data")).replace(service.url.rsplit(":", 1)[1], port)
    (folder / "service.env").touch(mode=0o600)
    (folder / "service.env").write_text(own, encoding="utf-8")
    return folder
