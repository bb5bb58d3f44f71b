"""Compressed answers: unpacked where the profile asks for them, and never more of them than a page."""

import gzip
import time
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberships_export.adapters.source.call import HttpLimits
from memberships_export.domain.errors import ExportError, MembershipsContractBroken, MembershipsUnavailable
from memberships_export.domain.source.asking import Ask, User
from memberships_export.domain.source.diagnosis import what_is_there
from memberships_export.domain.source.exchange import Call
from rig.services.recording_api import Framing, RecordingApi, Reply, Seen
from tests.unit.adapters.asking import LIMITS, PAGE, known, source

ASKS = Call(user_id="anna", path="/all", compression="gzip")
BODY = b'[{"id": "M-1"}, {"id": "M-2"}]'
PACKED = gzip.compress(BODY, mtime=0)


def reply(body: bytes = PACKED, *codings: str, framing: Framing = "length") -> Reply:
    headers = [("Content-Encoding", coding) for coding in codings or ("gzip",)]
    return replace(Reply(body, headers=headers), framing=framing)


def fetched(answer: Reply | Callable[[Seen], Reply], limits: HttpLimits = LIMITS, call: Call = ASKS) -> bytes:
    with RecordingApi(answer if callable(answer) else lambda _: answer) as api:
        return source(api.url, limits=limits).fetch(call, known()).body


def failure(answer: Reply, limits: HttpLimits = LIMITS, call: Call = ASKS) -> ExportError:
    with pytest.raises(ExportError) as failed:
        fetched(answer, limits, call)
    return failed.value


def of_profile(compression: str) -> Call:
    profile = known(request={"path": "/all", "compression": compression}).profile
    return Ask(profile, User("anna", "a@example.org"), 100).page(None)


@pytest.mark.parametrize("compression,sent", [("none", "identity"), ("gzip", "gzip")])
def test_compression_is_asked_for_when_the_profile_says_so(compression: str, sent: str) -> None:
    with RecordingApi() as api:
        source(api.url).fetch(of_profile(compression), known())
    assert api.seen[0].header("Accept-Encoding") == sent


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip", " gzip ", "utf-8, gzip", "identity,gzip"])
@pytest.mark.parametrize("framing", ["length", "chunks", "connection"])
def test_a_compressed_page_is_unpacked(coding: str, framing: Framing) -> None:
    assert fetched(reply(PACKED, coding, framing=framing)) == BODY


@pytest.mark.parametrize("codings", [[], ["identity"], ["utf-8"]])
def test_an_api_need_not_compress(codings: list[str]) -> None:
    assert fetched(Reply(BODY, headers=[("Content-Encoding", coding) for coding in codings])) == BODY


@given(st.binary(max_size=2000), st.integers(0, 9), st.lists(st.binary(max_size=50), max_size=3))
def test_any_content_at_any_level_and_in_any_number_of_streams_is_unpacked(
    content: bytes, level: int, more: list[bytes]
) -> None:
    packed = b"".join(gzip.compress(one, level) for one in (content, *more))
    assert fetched(reply(packed)) == content + b"".join(more)


def test_a_page_of_many_pieces_is_unpacked() -> None:
    content = b"".join(b'{"id": %d}' % number for number in range(300_000))
    assert fetched(reply(gzip.compress(content, 1)), replace(LIMITS, body_bytes=10**7)) == content


@pytest.mark.parametrize("cut", [1, 2, 9, 10, 11, len(PACKED) - 9, len(PACKED) - 8, len(PACKED) - 1])
@pytest.mark.parametrize("framing", ["length", "chunks", "connection"])
def test_a_stream_that_breaks_off_is_tried_again(cut: int, framing: Framing) -> None:
    failed = failure(reply(PACKED[:cut], framing=framing))
    assert isinstance(failed, MembershipsUnavailable)
    assert "a compressed page that ends in its middle" in failed.reason


@pytest.mark.parametrize("body", [b"", PACKED + PACKED[:20], PACKED + b"\x1f"])
def test_an_empty_stream_and_a_second_one_that_breaks_off_are_tried_again(body: bytes) -> None:
    assert isinstance(failure(reply(body)), MembershipsUnavailable)


@pytest.mark.parametrize(
    "body,told",
    [
        (BODY, "incorrect header check"),
        (b"\x1f\x8c" + PACKED[2:], "incorrect header check"),
        (PACKED[:2] + b"\x07" + PACKED[3:], "unknown compression method"),
        (PACKED[:3] + b"\xe0" + PACKED[4:], "unknown header flags set"),
        (zlib.compress(BODY), "incorrect header check"),
        (PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:], "incorrect data check"),
        (PACKED[:-4] + b"\0\0\0\1", "incorrect length check"),
        (PACKED[:10] + b"\xff" * 20, "invalid block type"),
        *((PACKED + garbage, "something else follows its end") for garbage in (b"\n", b"\0", b"\0" * 600, BODY)),
        (PACKED + b"\x1f\x8c", "something else follows its end"),
    ],
)
def test_what_is_no_gzip_is_refused_with_words(body: bytes, told: str) -> None:
    failed = failure(reply(body))
    assert isinstance(failed, MembershipsContractBroken)
    assert f"is not the gzip that its header says ({told})" in failed.reason


@pytest.mark.parametrize(
    "codings", [["gzip, gzip"], ["gzip", "gzip"], ["deflate"], ["br"], ["zstd"], ["gzip, br"], ["x-gzip,gzip"]]
)
def test_other_and_double_compression_is_refused_unread(codings: list[str]) -> None:
    failed = failure(reply(gzip.compress(PACKED), *codings))
    assert isinstance(failed, MembershipsContractBroken)
    assert (
        f"compressed by {', '.join(codings).replace(',gzip', ', gzip')}; only gzip is unpacked, once" in failed.reason
    )


def test_a_compressed_page_that_nobody_asked_for_is_refused_as_ever() -> None:
    failed = failure(reply(), call=PAGE)
    assert isinstance(failed, MembershipsContractBroken)
    assert "a compressed page (gzip) although it was asked not to" in failed.reason


def test_a_page_that_is_compressed_twice_in_secret_is_named() -> None:
    packed = fetched(reply(gzip.compress(PACKED)))
    profile = known(request={"path": "/all", "params": {"user": "{user.id}"}, "compression": "gzip"}).profile
    assert what_is_there(packed, ValueError(), profile) == "it is compressed (gzip), and nothing says so"


def zeros(megabytes: int) -> bytes:
    """A stream of so many zeros, in a thousandth of their space: each block begins anew, so that one is all of them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return PACKED[:10] + block * megabytes


def test_ten_gigabytes_in_ten_megabytes_stop_at_the_size_of_a_page() -> None:
    bomb = zeros(10_000)
    assert len(bomb) < 11 * 2**20
    limits = replace(LIMITS, body_bytes=16 * 2**20)
    with RecordingApi(lambda _: reply(bomb)) as api:
        made = source(api.url, limits=limits)
        tracemalloc.start()
        try:
            with pytest.raises(MembershipsContractBroken, match="more than 16777216 bytes"):
                made.fetch(ASKS, known())
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 2 * limits.body_bytes


@pytest.mark.parametrize("size,fits", [(100_000, True), (100_001, False)])
def test_the_size_of_a_page_holds_for_what_is_unpacked(size: int, fits: bool) -> None:  # noqa: FBT001
    answer = reply(gzip.compress(b"x" * size))
    if fits:
        assert len(fetched(answer)) == size
    else:
        assert "more than 100000 bytes" in failure(answer).reason


def test_the_size_of_a_page_holds_for_what_is_packed_too() -> None:
    empty = gzip.compress(b"", mtime=0)
    assert "more than 100000 bytes" in failure(reply(empty * 6000)).reason
    assert "more than 100000 bytes" in failure(reply(empty * 6000, framing="chunks")).reason


def test_the_time_of_a_page_holds_while_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic

    def later() -> float:
        return now() + 1000 * unpacking

    unpacking = 0
    decompressobj = zlib.decompressobj

    def noticed(wbits: int) -> object:
        nonlocal unpacking
        unpacking = 1
        return decompressobj(wbits)

    monkeypatch.setattr(zlib, "decompressobj", noticed)
    monkeypatch.setattr("memberships_export.adapters.http.unpacked.time.monotonic", later)
    assert isinstance(failed := failure(reply(gzip.compress(bytes(90_000)))), MembershipsUnavailable)
    assert "took longer than" in failed.reason


def test_streams_of_nothing_in_a_row_are_gone_through() -> None:
    assert fetched(reply(gzip.compress(b"", mtime=0) * 4000 + PACKED)) == BODY
