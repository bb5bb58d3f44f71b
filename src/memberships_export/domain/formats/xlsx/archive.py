"""The ZIP file, written forward only: what a call wrote is handed on at once, nothing is changed later.

Sizes and checksums come after each part (bit 3 of its flags), as they are not known before. Excel takes that as long as
nothing needs the larger numbers of ZIP64, so there are none: a file that would need them is refused.
"""

from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile

from memberships_export.domain.errors import LimitExceeded

_MOST_BYTES = 2**31 - 2**26  # of the whole file: zipfile itself would change to ZIP64 at 2^31, or refuse
_SMALL, _QUICK = 6, 1


class _Buffer:
    """Takes what is written, until it is taken away. It has no place to go back to: zipfile notices that."""

    def __init__(self) -> None:
        self._pieces = list[bytes]()

    def write(self, piece: bytes) -> int:
        self._pieces.append(piece)
        return len(piece)

    def flush(self) -> None:
        """Do nothing: zipfile calls it."""

    def close(self) -> None:
        """Do nothing: zipfile does not close what it did not open."""

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


class Archive:
    """One file. Equal parts give equal bytes: all have the date of the beginning of ZIP, 1980-01-01."""

    def __init__(self, *, compact: bool) -> None:
        """`compact`: small counts for more than quick."""
        self._buffer = _Buffer()
        self._zip = ZipFile(
            self._buffer,
            "w",
            ZIP_DEFLATED,
            allowZip64=False,
            compresslevel=_SMALL if compact else _QUICK,
        )
        self._size = 0

    def part(self, name: str) -> IO[bytes]:
        """Begin a part; close it before the next one."""
        return self._zip.open(name, "w")

    def add(self, name: str, content: str) -> None:
        """Write a whole part."""
        with self.part(name) as part:
            part.write(content.encode())

    def close(self) -> None:
        """Write what ends the file."""
        self._zip.close()

    def taken(self) -> bytes:
        """Return what was written since the last call. Raises LimitExceeded."""
        piece = self._buffer.taken()
        self._size += len(piece)
        if self._size > _MOST_BYTES:
            raise LimitExceeded(
                f"The file would be larger than {_MOST_BYTES} bytes, which Excel may refuse as XLSX: "
                "ask for CSV or JSON Lines, or for fewer columns."
            )
        return piece
