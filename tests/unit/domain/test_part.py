"""A part as it is stored: every change of it is noticed."""

from collections.abc import Callable
from datetime import UTC
from itertools import product
from zlib import crc32

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memberships_export.domain.errors import FileDamaged
from memberships_export.domain.source.part import Head, Part, as_part, read_part
from tests.factories import REQUESTED_AT

KEY = "parts/3f2a/0-000000-e3b0c44298fc.part"
PAGE = b'{"items":[],"nextCursor":null}\n'
HEAD = Head(at=REQUESTED_AT, rows=0)
PART = as_part(KEY, Part(HEAD, PAGE))


@pytest.mark.parametrize("page", [PAGE, b"", b"\n", b"\x00" * 2_000_000, bytes(range(256))])
def test_a_page_comes_back_as_it_was_received(page: bytes) -> None:
    assert read_part(KEY, as_part(KEY, Part(HEAD, page))) == Part(HEAD, page)


def test_a_part_can_be_read_by_people() -> None:
    assert (
        b"crc32=%s key=parts/3f2a/0-000000-e3b0c44298fc.part at=2026-03-01T12:00:00+00:00 rows=0\n%s"
        % (PART[6:14], PAGE)
        == PART
    )


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
        read_part(KEY, as_part(other, Part(HEAD, PAGE)))


@given(st.binary())
@example(b"crc32=00000000 ")
@example(b"crc32=%08x %s" % (crc32(b"key=%s" % KEY.encode()), b"key=%s" % KEY.encode()))
def test_what_is_no_part_is_damaged_and_nothing_else(content: bytes) -> None:
    with pytest.raises(FileDamaged):
        read_part(KEY, content)


@given(
    st.builds(
        Head,
        at=st.datetimes(timezones=st.just(UTC)),
        rows=st.integers(0, 10_000),
        next=st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
        skip=st.integers(0, 9),
        headers=st.sampled_from([(), (("link", '<https://x/?a=1&b=2>; rel="next"'), ("x-total", "12 000"))]),
    )
)
def test_what_is_known_of_a_page_comes_back_whatever_it_is(head: Head) -> None:
    assert read_part(KEY, as_part(KEY, Part(head, PAGE))) == Part(head, PAGE)


def test_a_part_that_an_older_version_stored_is_as_good_as_damaged() -> None:
    line = b"key=%s\n" % KEY.encode()
    with pytest.raises(FileDamaged, match="another version"):
        read_part(KEY, b"crc32=%08x %s%s" % (crc32(PAGE, crc32(line)), line, PAGE))
