"""How a page is stored: as the piece of the file that its rows became, behind what is known of it.

    crc32=9ae0daaf {"key":"parts/3f2a/0-000001-29c0263d160b.part","form":2,"at":"2026-03-01T12:00:00Z",…}
    "100";"Gold Plan";…

Only this module knows the form. The checksum is that of all bytes behind it, so that no byte changes unnoticed. The key
is there so that another part, copied over this one, is noticed too.
"""

from collections.abc import Sequence
from datetime import datetime
from zlib import crc32

import msgspec
from msgspec import Struct

from memberships_export.domain.errors import FileDamaged
from memberships_export.domain.formats.file_format import Piece
from memberships_export.domain.source.progress import Progress
from memberships_export.domain.source.reader import Key

FORM = 2  # one higher with each change of what a part or a piece of any format looks like: they are never mixed
_CHECKSUM = len(b"crc32=00000000 ")


class Part(Struct, frozen=True, kw_only=True):
    """A page that was believed. `keys`: of its rows, where others have to be compared with them; else none."""

    at: datetime  # when the page came
    progress: Progress  # with this page
    piece: Piece
    keys: tuple[Key, ...] = ()


class Head(Struct, frozen=True, kw_only=True):
    """The first line. What stands behind it: the content of the piece, `more` of it, and the keys."""

    key: str
    form: int
    at: datetime
    progress: Progress
    rows: int
    guarded: int
    content: int  # bytes
    more: int  # bytes


def as_part(key: str, part: Part) -> bytes:
    """Write a part, to be stored under this key."""
    piece = part.piece
    head = Head(
        key=key,
        form=FORM,
        at=part.at,
        progress=part.progress,
        rows=piece.rows,
        guarded=piece.guarded,
        content=len(piece.content),
        more=len(piece.more),
    )
    keys = msgspec.msgpack.encode(part.keys) if part.keys else b""
    sections = (msgspec.json.encode(head), b"\n", piece.content, piece.more, keys)
    return b"".join((_checksum(sections), *sections))


def read_part(key: str, stored: bytes) -> Part:
    """Return what was stored. Raises FileDamaged when the part is not as it was stored under this key."""
    if stored[:_CHECKSUM] != _checksum([memoryview(stored)[_CHECKSUM:]]):
        raise FileDamaged(key, f"its {len(stored)} bytes do not have the checksum that they were stored with")
    end = stored.find(b"\n")
    try:
        head = msgspec.json.decode(stored[_CHECKSUM : max(end, 0)], type=Head)
    except msgspec.DecodeError as error:
        raise FileDamaged(key, _ANOTHER_VERSION) from error
    if head.key != key:
        raise FileDamaged(key, "it is another part")
    if head.form != FORM:
        raise FileDamaged(key, _ANOTHER_VERSION)
    return _part(head, memoryview(stored)[end + 1 :])


def _part(head: Head, behind: memoryview) -> Part:
    content, rest = behind[: head.content], behind[head.content :]
    more, keys = rest[: head.more], rest[head.more :]
    piece = Piece(rows=head.rows, content=bytes(content), guarded=head.guarded, more=bytes(more))
    known = msgspec.msgpack.decode(keys) if keys else ()
    return Part(at=head.at, progress=head.progress, piece=piece, keys=tuple(known))


_ANOTHER_VERSION = "another version of the program stored it"


def _checksum(sections: Sequence[bytes | memoryview]) -> bytes:
    crc = 0
    for section in sections:
        crc = crc32(section, crc)
    return b"crc32=%08x " % crc
