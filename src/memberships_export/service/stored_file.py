"""The finished file as it is stored, checked against its record whenever it is read."""

from collections.abc import Callable, Iterator
from hashlib import sha256

from memberships_export.domain.errors import FileDamaged, FileMissing
from memberships_export.domain.export.record import StoredFile
from memberships_export.ports import FileStore


def read_file(files: FileStore, file: StoredFile) -> bytes:
    """Read the whole file. Raises FileMissing, FileDamaged."""
    content = files.read(file.key)
    if content is None:
        raise FileMissing
    _compare(file, sha256(content).hexdigest(), len(content))
    return content


def check_file(files: FileStore, file: StoredFile, between: Callable[[], None] = lambda: None) -> None:
    """Read the file in chunks, to check it; `between` is called before each. Raises FileMissing, FileDamaged."""
    digest, size = sha256(), 0
    for chunk in stream_file(files, file):
        between()
        digest.update(chunk)
        size += len(chunk)
    _compare(file, digest.hexdigest(), size)


def stream_file(files: FileStore, file: StoredFile) -> Iterator[bytes]:
    """Read the file in chunks, unchecked. Raises FileMissing."""
    chunks = files.stream(file.key)
    if chunks is None:
        raise FileMissing
    return chunks


def _compare(file: StoredFile, digest: str, size: int) -> None:
    if size != file.bytes:
        raise FileDamaged(file.key, f"it has {size} bytes where {file.bytes} were stored")
    if digest != file.sha256:
        raise FileDamaged(file.key, "its SHA-256 is not the one it was stored with")
