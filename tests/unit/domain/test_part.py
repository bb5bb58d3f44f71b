"""A part as it is stored: every change of it is noticed."""

from collections.abc import Callable
from datetime import UTC
from itertools import product
from zlib import crc32

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memberships_export.domain.errors import FileDamaged
from memberships_export.domain.formats.file_format import Piece
from memberships_export.domain.formats.part import Part, as_part, read_part
from memberships_export.domain.source.grades import Grade
from memberships_export.domain.source.progress import Progress
from tests.factories import REQUESTED_AT

KEY = "parts/3f2a/0-000000-e3b0c44298fc.part"
PAGE = b'"1";"Gold Plan"\r\n'
PROGRESS_OF_ONE = Progress(pages=1, bytes=40, rows=1, last_key=1, grade=Grade.ENDED)


def a_page(content: bytes = PAGE) -> Part:
    return Part(at=REQUESTED_AT, progress=PROGRESS_OF_ONE, piece=Piece(rows=1, content=content))


PART = as_part(KEY, a_page())


@pytest.mark.parametrize("content", [PAGE, b"", b"\n", b"\x00" * 2_000_000, bytes(range(256))])
def test_a_page_comes_back_as_it_was_stored(content: bytes) -> None:
    assert read_part(KEY, as_part(KEY, a_page(content))) == a_page(content)


def test_a_part_can_be_read_by_people() -> None:
    line, rows = PART.split(b"\n", 1)
    assert line.startswith(b'crc32=%s {"key":"%s","form":2,"at":"2026-03-01T12:00:00Z"' % (PART[6:14], KEY.encode()))
    assert b'"rows":1,"' in line
    assert rows == PAGE


def test_no_bit_of_a_part_changes_unnoticed() -> None:
    for place, bit in product(range(len(PART)), range(8)):
        changed = bytearray(PART)
        changed[place] ^= 1 << bit
        with pytest.raises(FileDamaged, match="checksum"):
            read_part(KEY, bytes(changed))


@pytest.mark.parametrize("size", range(len(PART)))
def test_a_part_that_is_cut_off_is_noticed_wherever_it_ends(size: int) -> None:
    with pytest.raises(FileDamaged, match=f"its {size} bytes"):
        read_part(KEY, PART[:size])


@pytest.mark.parametrize(
    "change",
    [
        lambda part: part + b"\x00",
        lambda part: part + part,
        lambda part: b"\x00" * len(part),
        lambda part: part.partition(b"\n")[2],
        lambda _: PAGE,
    ],
)
def test_more_less_or_nothing_of_it_is_noticed(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(FileDamaged, match="checksum"):
        read_part(KEY, change(PART))


@pytest.mark.parametrize("other", [KEY.replace("3f2a", "3f2b"), KEY.replace("/0-", "/1-"), KEY[:-1], f"{KEY}x"])
def test_another_part_copied_over_it_is_noticed_although_it_is_whole(other: str) -> None:
    with pytest.raises(FileDamaged, match="another part"):
        read_part(KEY, as_part(other, a_page()))


@given(st.binary())
@example(b"crc32=00000000 ")
@example(b"crc32=%08x {}" % crc32(b"{}"))
@example(b"crc32=%08x {}\n" % crc32(b"{}\n"))
def test_what_is_no_part_is_damaged_and_nothing_else(content: bytes) -> None:
    with pytest.raises(FileDamaged):
        read_part(KEY, content)


PROGRESS = st.builds(
    Progress,
    pages=st.integers(1, 10_000),
    rows=st.integers(0, 10**9),
    total=st.none() | st.integers(0, 10**9),
    cursor=st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    last_key=st.none() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    began_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    grade=st.none() | st.sampled_from(Grade),
)
PIECES = st.builds(
    Piece, rows=st.integers(0, 10_000), content=st.binary(), guarded=st.integers(0, 9), more=st.binary(max_size=9)
)
KEYS = st.lists(st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(exclude_categories=["Cs"])), max_size=5).map(
    tuple
)


@given(st.builds(Part, at=st.datetimes(timezones=st.just(UTC)), progress=PROGRESS, piece=PIECES, keys=KEYS))
def test_what_is_known_of_a_page_comes_back_whatever_it_is(part: Part) -> None:
    assert read_part(KEY, as_part(KEY, part)) == part


@pytest.mark.parametrize(
    "stored",
    [
        b'key=%s at=2026-03-01T12:00:00+00:00 rows=0\n{"items":[],"nextCursor":null}' % KEY.encode(),
        PART.partition(b" ")[2].replace(b'"form":2', b'"form":1'),
        PART.partition(b" ")[2].replace(b'"form":2', b'"form":3'),
    ],
    ids=["pages as they were received", "an older form", "a newer form"],
)
def test_a_part_that_another_version_stored_is_as_good_as_damaged(stored: bytes) -> None:
    with pytest.raises(FileDamaged, match="another version"):
        read_part(KEY, b"crc32=%08x %s" % (crc32(stored), stored))
