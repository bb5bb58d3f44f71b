"""How a page is stored: a line that tells what was stored, then the page as received. Only this module knows the form.

    crc32=9ae0daaf key=parts/3f2a/0-000001-29c0263d160b.part at=2026-03-01T12:00:00+00:00 rows=100 next=200-240
    {"items":[…

The checksum is that of all bytes behind it, so that no byte changes unnoticed. The key is there so that another part,
copied over this one, is noticed too. The line may get more fields; a reader passes over those it does not know.
"""

from datetime import datetime
from urllib.parse import quote, unquote
from zlib import crc32

from msgspec import Struct

from memberships_export.domain.errors import FileDamaged

_CHECKSUM = len(b"crc32=00000000 ")


class Head(Struct, frozen=True, kw_only=True):
    """What is known of a page beside its body: when it came, and how the walk goes on after it.

    `next`: the place of the next page, None: it was the last one. `skip`: how many of its first rows came before.
    """

    at: datetime
    rows: int
    next: str | None = None
    skip: int = 0
    headers: tuple[tuple[str, str], ...] = ()  # of the answer, those that the profile names


class Part(Struct, frozen=True):
    """A page and its head."""

    head: Head
    page: bytes


def as_part(key: str, part: Part) -> bytes:
    """Write a page as received, to be stored under this key."""
    line = b"%s %s\n" % (_named(key), _written(part.head))
    return b"".join((_checksum(crc32(part.page, crc32(line))), line, part.page))


def read_part(key: str, stored: bytes) -> Part:
    """Return the page as received. Raises FileDamaged when the part is not as it was stored under this key."""
    if stored[:_CHECKSUM] != _checksum(crc32(memoryview(stored)[_CHECKSUM:])):
        raise FileDamaged(key, f"its {len(stored)} bytes do not have the checksum that they were stored with")
    end = stored.find(b"\n")
    fields = stored[_CHECKSUM:end].split() if end > 0 else []
    if _named(key) not in fields:
        raise FileDamaged(key, "it is another part")
    try:
        return Part(_head([field.decode() for field in fields]), stored[end + 1 :])
    except (ValueError, KeyError) as error:
        raise FileDamaged(key, "another version of the program stored it") from error


def _written(head: Head) -> bytes:
    fields = {"at": head.at.isoformat(), "rows": str(head.rows), "skip": str(head.skip or "")}
    fields |= {"next": head.next or ""} | {f"header-{name}": value for name, value in head.headers}
    return " ".join(f"{name}={quote(value, safe=':+')}" for name, value in fields.items() if value).encode()


def _head(fields: list[str]) -> Head:
    known = {name: unquote(value) for name, _, value in (field.partition("=") for field in fields)}
    return Head(
        at=datetime.fromisoformat(known["at"]),
        rows=int(known["rows"]),
        skip=int(known.get("skip", "0")),
        next=known.get("next"),
        headers=tuple((name[7:], value) for name, value in known.items() if name.startswith("header-")),
    )


def _named(key: str) -> bytes:
    return b"key=%s" % key.encode()


def _checksum(crc: int) -> bytes:
    return b"crc32=%08x " % crc
