"""FileStore in a folder. Each file becomes visible whole, and finished files are on the disk when the call returns.

Parts are not: a power cut may take one away, or its end. Its checksum tells, and the pages are fetched again.
"""

import errno
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from memberships_export.adapters.embedded.disk import make_folder, storage_errors, sync_folder
from memberships_export.adapters.embedded.private import private
from memberships_export.domain.errors import FileDamaged
from memberships_export.domain.file_key import checked_key
from memberships_export.ports import Download, FileSink

_CHUNK = 1024 * 1024
_CHECKED = 4096  # bytes: more than a file system can tuck away where it has no block left
_ROTTEN = {errno.EIO, errno.EBADMSG, errno.EUCLEAN}  # a sector, or the file system's own checksum


class Folder:
    """FileStore under one root folder; made when the first file is stored."""

    def __init__(self, root: Path) -> None:
        """`root`: best on the disk of the database, so that one backup takes both."""
        self._root = root

    def put_once(self, key: str, content: bytes) -> bool:
        """Store under a key that is not taken, without waiting for the disk."""
        path = self._path(key)
        with self._temporary(path) as (temporary, file), storage_errors(path):
            file.write(content)
            file.flush()
            return _named(temporary, path)

    def keep(self, key: str, content: bytes) -> bool:
        """Store under a key that is not taken; it is on the disk when the call returns. False when it is taken."""
        path = self._path(key)
        with self._temporary(path) as (temporary, file), storage_errors(path):
            file.write(content)
            _flush(file)
            try:
                return _named(temporary, path)
            finally:
                sync_folder(path.parent)  # also for another writer's link, which may have died before its own sync

    def read(self, key: str) -> bytes | None:
        """Read a whole file, None when there is none."""
        path = self._path(key)
        with storage_errors(path), _reading(key):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                return None

    def stream(self, key: str) -> Iterator[bytes] | None:
        """Read a file in chunks of 1 MiB, None when there is none. It is opened when the first chunk is asked for."""
        path = self._path(key)
        with storage_errors(path):
            try:
                path.stat()
            except FileNotFoundError:
                return None
        return _chunks(key, path)

    @contextmanager
    def writing(self, key: str) -> Iterator[FileSink]:
        """Write a file in chunks; it appears whole when the block ends well, and not at all when it does not."""
        path = self._path(key)
        with self._temporary(path) as (temporary, file):
            yield _Sink(file, path)
            with storage_errors(path):
                _flush(file)
                temporary.rename(path)
                sync_folder(path.parent)

    def delete_folder(self, prefix: str) -> None:
        """Delete every file under the prefix, with what killed writers left behind."""
        path = self._path(prefix)
        with storage_errors(path), suppress(FileNotFoundError):
            shutil.rmtree(path)
            sync_folder(path.parent)

    def discard(self, names: Collection[str]) -> int:
        """Delete files of these names in the root folder, with what killed writers left of them; return how many."""
        with storage_errors(self._root):
            try:
                found = [path for path in self._root.iterdir() if _final_name(path.name) in names]
            except FileNotFoundError:
                return 0
            for path in found:
                path.unlink(missing_ok=True)
            if found:
                sync_folder(self._root)
        return len(found)

    def signed_url(  # the arguments are the port's
        self,
        key: str,  # noqa: ARG002
        download: Download,  # noqa: ARG002
        seconds: int,  # noqa: ARG002
    ) -> str | None:
        """Return None: a folder gives no URLs."""
        return None

    def check(self) -> None:
        """Write a small file, really, and remove it. Raises StorageUnavailable."""
        path = self._root / "check"
        with self._temporary(path) as (_, file), storage_errors(path):
            file.write(bytes(_CHECKED))
            _flush(file)

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)

    @contextmanager
    def _temporary(self, path: Path) -> Iterator[tuple[Path, BinaryIO]]:
        """Open a file beside its final place; it is gone afterwards unless it was renamed."""
        temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
        with storage_errors(path):
            make_folder(path.parent)
            file = open(temporary, "xb", opener=private)  # noqa: SIM115  (Path.open takes no opener; see finally)
        try:
            yield temporary, file
        finally:
            with suppress(OSError):
                file.close()
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


class _Sink:
    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path

    def write(self, chunk: bytes) -> None:
        with storage_errors(self._path):
            self._file.write(chunk)


def _final_name(name: str) -> str:
    """Return the name that a file has in the end: until it is whole it is `.NAME.RANDOM.tmp`."""
    return name[1:].removesuffix(".tmp").rpartition(".")[0] if name.startswith(".") else name


def _named(temporary: Path, path: Path) -> bool:
    """Give a file its name by a hard link: it is what a file system refuses when the name exists."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    return True


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def _reading(key: str) -> Iterator[None]:
    """Tell a file that is not readable any more, and may be made anew, from a disk that cannot be used."""
    try:
        yield
    except OSError as error:
        if error.errno in _ROTTEN:
            raise FileDamaged(key, f"the disk cannot read it ({os.strerror(error.errno)})") from error
        raise


def _chunks(key: str, path: Path) -> Iterator[bytes]:
    with storage_errors(path), _reading(key), path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
