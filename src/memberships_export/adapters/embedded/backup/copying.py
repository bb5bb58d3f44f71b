"""Copies files: for this user only from the first byte on, on the disk when it is done, and hashed on the way."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from memberships_export.adapters.embedded.backup.manifest import Entry
from memberships_export.adapters.embedded.disk import make_folder, storage_errors
from memberships_export.adapters.embedded.private import private

Told = Callable[[int], None]
"""Is told of each number of bytes that are done."""

_CHUNK = 1024 * 1024


def copy(source: Path, root: Path, path: str, told: Told) -> Entry:
    """Copy a file to `path` below `root`, where none may be. Raises FileNotFoundError when the source is gone."""
    with _reading(source) as reader:
        target = root / path
        with storage_errors(target):
            make_folder(target.parent)
            digest, size = sha256(), 0
            with open(target, "xb", opener=private) as writer:
                while chunk := os.read(reader, _CHUNK):
                    writer.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
                    told(len(chunk))
                writer.flush()
                os.fsync(writer.fileno())
    return Entry(path=path, bytes=size, sha256=digest.hexdigest())


def measure(root: Path, path: str, told: Told) -> Entry:
    """Hash a file that is in its place already, and see that it is on the disk."""
    digest, size = sha256(), 0
    with storage_errors(root / path), _reading(root / path) as reader:
        while chunk := os.read(reader, _CHUNK):
            digest.update(chunk)
            size += len(chunk)
            told(len(chunk))
        os.fsync(reader)
    return Entry(path=path, bytes=size, sha256=digest.hexdigest())


def write(target: Path, content: bytes) -> None:
    """Write a file that is not there yet."""
    with storage_errors(target), open(target, "xb", opener=private) as writer:
        writer.write(content)
        writer.flush()
        os.fsync(writer.fileno())


@contextmanager
def _reading(path: Path) -> Iterator[int]:
    """Open a file, and not what a link leads to."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
