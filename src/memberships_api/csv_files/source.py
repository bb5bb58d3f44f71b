"""The bytes of a file: its beginning to judge it by, then all of it, once, counted."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from memberships_api.csv_files.encodings import codec_for
from memberships_api.csv_files.problems import ImportRefused, Problem


class Counted(io.RawIOBase):
    """A stream whose beginning was read already; it need not be one that can be read twice."""

    def __init__(self, sample: bytes, rest: BinaryIO) -> None:
        self._sample = memoryview(sample)
        self._rest = rest
        self.count = 0
        """Bytes handed out so far."""

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Fill the buffer as far as there is something."""
        chunk = self._sample[: len(buffer)] or self._rest.read(len(buffer))
        self._sample = self._sample[len(chunk) :] if self._sample else self._sample
        buffer[: len(chunk)] = chunk
        self.count += len(chunk)
        return len(chunk)


@dataclass(frozen=True, slots=True)
class Source:
    """An open file. `size` in bytes; None: it is a stream without end to tell."""

    sample: bytes
    bytes: Counted
    size: int | None

    def text(self, encoding: str) -> io.TextIOWrapper:
        """Decode it. Bytes that the encoding has not become lone surrogates, so that each is told with its cell."""
        codec = codec_for(encoding)
        return io.TextIOWrapper(io.BufferedReader(self.bytes), codec, errors="surrogateescape", newline="")


@contextmanager
def opened(path: Path, sample_bytes: int) -> Iterator[Source]:
    """Open a file and read its beginning. Raises ImportRefused."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    with file:
        try:
            sample = file.read(sample_bytes)
        except OSError as error:
            raise _unreadable(path, error) from error
        yield Source(sample, Counted(sample, file), path.stat().st_size if path.is_file() else None)


def _unreadable(path: Path, error: OSError) -> ImportRefused:
    return ImportRefused([Problem(f"{path} cannot be read: {error.strerror}. Check the path.")])
