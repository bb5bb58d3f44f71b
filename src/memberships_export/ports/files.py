"""Parts and finished files."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


class FileSink(Protocol):
    """Where the bytes of a file go while it is made."""

    def write(self, chunk: bytes) -> None:
        """Append bytes; nobody can read them before the file is complete."""
        ...


@dataclass(frozen=True, slots=True)
class Download:
    """What a browser is told about a file: the name to save it under, and its Content-Type."""

    filename: str
    content_type: str


class FileStore(Protocol):
    """Parts and finished files under keys like `parts/<export id>/<name>`. What is stored is complete.

    A file of `writing` is durable. What `put_once` stored may be gone or cut short after a power cut: who reads it
    checks it, and has it made anew.
    """

    def put_once(self, key: str, content: bytes) -> bool:
        """Store under a key that is not taken. False when it is: what was there stays."""
        ...

    def read(self, key: str) -> bytes | None:
        """Read a whole file, None when there is none. Raises FileDamaged when only this file cannot be read."""
        ...

    def stream(self, key: str) -> Iterator[bytes] | None:
        """Read a file in chunks of bounded size, None when there is none. Raises FileDamaged as `read` does."""
        ...

    def writing(self, key: str) -> AbstractContextManager[FileSink]:
        """Write a file in chunks; it appears whole when the block ends well, and not at all when it does not."""
        ...

    def delete_folder(self, prefix: str) -> None:
        """Delete every file whose key starts with `prefix` + "/"."""
        ...

    def signed_url(self, key: str, download: Download, seconds: int) -> str | None:
        """Make a URL that gives the file as this download for so long; None when the store has no such thing."""
        ...
