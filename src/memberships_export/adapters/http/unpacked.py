"""Compressed bodies, unpacked while they arrive: what comes out of them has the same bounds as what comes in."""

import time
import zlib
from collections.abc import Iterable, Iterator

from urllib3 import BaseHTTPResponse

from memberships_export.adapters.http.bounded import TooLarge, TooLate, pieces_of, read_body

_GZIP = frozenset({"gzip", "x-gzip"})  # RFC 9110 8.4.1.3: the same
# The registered content codings (RFC 9110 18.6), and what some servers call them.
_COMPRESSIONS = frozenset(
    {*_GZIP, "deflate", "compress", "x-compress", "br", "zstd", "dcb", "dcz", "bzip2", "xz", "exi"}
)
_FED = 16 * 1024  # bytes at a time: what is left over behind the end of a stream is copied
_TAKEN = 256 * 1024
_MAGIC = b"\x1f\x8b"
_WITH_HEADER = 16 + zlib.MAX_WBITS  # to zlib: a gzip header, and nothing else


class CutShort(Exception):
    """A compressed body ends before its end."""


class NotGzip(Exception):
    """A body is not what its header says. The text says what is wrong with it."""


def compressions(answer: BaseHTTPResponse) -> tuple[str, ...]:
    """Name how a body is compressed, in the order it was done; anything else, such as utf-8, names no compression."""
    codings = answer.headers.get("Content-Encoding", "").lower().replace(",", " ").split()
    return tuple(coding for coding in codings if coding in _COMPRESSIONS)


def is_gzip(names: tuple[str, ...]) -> bool:
    """Tell the one thing that can be unpacked: gzip, once."""
    return len(names) == 1 and names[0] in _GZIP


def read_unpacked(answer: BaseHTTPResponse, most: int, until: float) -> bytes:
    """Read a body to its end, at most so many bytes packed and unpacked.

    Raises CutShort and NotGzip, and what read_body raises.
    """
    if not is_gzip(compressions(answer)):
        return read_body(answer, most, until)
    taken, size = [], 0
    for piece in _unpacked(pieces_of(answer, most, until)):
        size += len(piece)
        if size > most:
            raise TooLarge
        if time.monotonic() > until:
            raise TooLate
        taken.append(piece)
    return b"".join(taken)


def _unpacked(packed: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack one stream, or several in a row, which are one (RFC 1952 2.2). Never more than a piece at once."""
    stream = zlib.decompressobj(_WITH_HEADER)
    for left in _fed(packed):
        while left:
            if stream.eof:
                if not _MAGIC.startswith(left[: len(_MAGIC)]):
                    raise NotGzip("something else follows its end")
                stream = zlib.decompressobj(_WITH_HEADER)
            yield _next(stream, left)
            left = stream.unused_data if stream.eof else stream.unconsumed_tail  # noqa: PLW2901  (until none is left)
    if not stream.eof:
        raise CutShort


def _next(stream: "zlib._Decompress", packed: bytes) -> bytes:
    try:
        return stream.decompress(packed, _TAKEN)
    except zlib.error as error:
        reason = str(error).rpartition(": ")[2]
        raise NotGzip(reason) from error


def _fed(packed: Iterable[bytes]) -> Iterator[bytes]:
    for piece in packed:
        for start in range(0, len(piece), _FED):
            yield piece[start : start + _FED]
