"""Disks that refuse, for tests: real refusals of the operating system, no patched functions."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


@contextmanager
def not_allowed(folder: Path) -> Iterator[None]:
    """Let this process write nothing in the folder, even when root runs the tests."""
    folder.chmod(0o500)
    me = os.geteuid()
    if me == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if me == 0:
            os.seteuid(me)
        folder.chmod(0o700)


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond the size, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
