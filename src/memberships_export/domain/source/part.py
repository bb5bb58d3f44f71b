"""How a page is stored: a line that tells what was stored, then the page as received.

    crc32=9ae0daaf key=parts/3f2a/0-000001-29c0263d160b.part
    {"items":[…

The checksum is that of all bytes behind it, so that no byte changes unnoticed. The key is there so that another part,
copied over this one, is noticed too. The line may get more fields; a reader passes over those it does not know.
"""

from zlib import crc32

from memberships_export.domain.errors import FileDamaged

_CHECKSUM = len(b"crc32=00000000 ")


def as_part(key: str, page: bytes) -> bytes:
    """Write a page as received, to be stored under this key."""
    line = b"%s\n" % _named(key)
    return b"".join((_checksum(crc32(page, crc32(line))), line, page))


def page_of(key: str, part: bytes) -> bytes:
    """Return the page as received. Raises FileDamaged when the part is not as it was stored under this key."""
    if part[:_CHECKSUM] != _checksum(crc32(memoryview(part)[_CHECKSUM:])):
        raise FileDamaged(key, f"its {len(part)} bytes do not have the checksum that they were stored with")
    end = part.find(b"\n")
    if end < 0 or _named(key) not in part[_CHECKSUM:end].split():
        raise FileDamaged(key, "it is another part")
    return part[end + 1 :]


def _named(key: str) -> bytes:
    return b"key=%s" % key.encode()


def _checksum(crc: int) -> bytes:
    return b"crc32=%08x " % crc
