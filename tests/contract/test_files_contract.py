"""What every FileStore promises."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest

from memberships_export.ports import FileSink, FileStore

KEY = "parts/3f2a/000000-e3b0c44298fc.json"
BIG = bytes(range(256)) * 10_000  # 2.5 MB: more than one chunk
MAX_CHUNK = 8 * 1024 * 1024

BAD_KEYS = [
    "",
    "/etc/passwd",
    "../up",
    "parts/../../up",
    "a//b",
    "a/",
    "a/./b",
    ".hidden",
    "a/.hidden",
    "a\\b",
    "ä",
    "a\n",
]


class WorkerDied(Exception):
    """Stands for whatever ends a writer half-way."""


def test_a_stored_file_is_read_back(files: FileStore) -> None:
    assert files.put_once(KEY, BIG)

    assert files.read(KEY) == BIG


def test_a_file_that_is_not_there_is_none(files: FileStore) -> None:
    files.put_once(KEY, b"x")

    assert files.read("parts/3f2a/other.json") is None
    assert files.read("never/made.json") is None
    assert files.stream("parts/3f2a/other.json") is None
    assert files.stream("never/made.json") is None


def test_the_first_content_under_a_key_stays(files: FileStore) -> None:
    files.put_once(KEY, b"first")

    assert files.put_once(KEY, b"second") is False
    assert files.put_once(KEY, b"first") is False
    assert files.read(KEY) == b"first"


def test_of_writers_at_once_exactly_one_stores(files: FileStore) -> None:
    writers = 8
    barrier = Barrier(writers)

    def put(number: int) -> bool:
        barrier.wait()
        return files.put_once(KEY, b"%d" % number)

    with ThreadPoolExecutor(writers) as pool:
        stored = list(pool.map(put, range(writers)))

    assert sum(stored) == 1
    assert files.read(KEY) == b"%d" % stored.index(True)


def test_an_empty_file_is_a_file(files: FileStore) -> None:
    assert files.put_once(KEY, b"")

    assert files.read(KEY) == b""
    stream = files.stream(KEY)
    assert stream is not None
    assert b"".join(stream) == b""
    assert files.put_once(KEY, b"x") is False


def test_a_file_streams_in_bounded_chunks(files: FileStore) -> None:
    files.put_once(KEY, BIG)

    stream = files.stream(KEY)

    assert stream is not None
    chunks = list(stream)
    assert b"".join(chunks) == BIG
    assert len(chunks) > 1
    assert max(map(len, chunks)) <= MAX_CHUNK


def test_a_stream_may_be_left_unread_or_half_read(files: FileStore) -> None:
    files.put_once(KEY, BIG)

    unread, half_read = files.stream(KEY), files.stream(KEY)

    assert unread is not None
    assert half_read is not None
    assert BIG.startswith(next(half_read))


def test_a_file_written_in_chunks_appears_when_the_block_ends(files: FileStore) -> None:
    with files.writing(KEY) as sink:
        for start in range(0, len(BIG), 1000):
            sink.write(BIG[start : start + 1000])
        assert files.read(KEY) is None

    assert files.read(KEY) == BIG


def test_a_file_written_with_no_chunk_is_empty(files: FileStore) -> None:
    with files.writing(KEY):
        pass

    assert files.read(KEY) == b""


def test_an_aborted_write_leaves_nothing(files: FileStore) -> None:
    def die(sink: FileSink) -> None:
        sink.write(BIG)
        raise WorkerDied

    with pytest.raises(WorkerDied), files.writing(KEY) as sink:
        die(sink)

    assert files.read(KEY) is None
    assert files.stream(KEY) is None
    assert files.put_once(KEY, b"later")


def test_an_aborted_write_leaves_the_older_file(files: FileStore) -> None:
    files.put_once(KEY, b"older")

    with pytest.raises(WorkerDied), files.writing(KEY):
        raise WorkerDied

    assert files.read(KEY) == b"older"


def test_an_error_of_the_writer_passes_through_as_it_is(files: FileStore) -> None:
    with pytest.raises(ConnectionResetError), files.writing(KEY):
        raise ConnectionResetError


def test_deleting_a_folder_deletes_what_is_in_it_and_nothing_beside_it(files: FileStore) -> None:
    for key in ("parts/1/a.json", "parts/1/b.json", "parts/1/deep/c.json", "parts/10/a.json", "csv/1/a.csv"):
        files.put_once(key, b"x")

    files.delete_folder("parts/1")

    assert [files.read(f"parts/1/{name}") for name in ("a.json", "b.json", "deep/c.json")] == [None] * 3
    assert files.read("parts/10/a.json") == b"x"
    assert files.read("csv/1/a.csv") == b"x"


def test_deleting_a_folder_twice_or_one_that_never_was_is_harmless(files: FileStore) -> None:
    files.put_once(KEY, b"x")

    files.delete_folder("parts/3f2a")
    files.delete_folder("parts/3f2a")
    files.delete_folder("never/made")

    assert files.put_once(KEY, b"again")


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_bad_key_is_refused_by_name(files: FileStore, key: str) -> None:
    calls: list[partial[Any]] = [
        partial(files.put_once, key, b"x"),
        partial(files.read, key),
        partial(files.stream, key),
        partial(_write_nothing, files, key),
        partial(files.delete_folder, key),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="file key"):
            call()


def _write_nothing(files: FileStore, key: str) -> None:
    with files.writing(key):
        pass
