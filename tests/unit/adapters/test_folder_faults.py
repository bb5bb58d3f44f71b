"""What can happen to the folder of files, and what is left of a file then."""

import errno
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from memberships_export.adapters.embedded.folder import Folder
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.ports import Download
from tests.fakes.broken_disk import files_end_at, not_allowed

BIG = b"x" * 1_000_000

WRITER = """
import sys
from pathlib import Path
from memberships_export.adapters.embedded.folder import Folder

with Folder(Path(sys.argv[1])).writing("csv/1/1.csv") as sink:
    sink.write(bytes(5_000_000))
    print("half-way", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "files")


def keep_at_once(folder: Folder) -> None:
    folder.keep("csv/1/1.csv", b"x")


def write_in_chunks(folder: Folder) -> None:
    with folder.writing("csv/1/1.csv") as sink:
        sink.write(b"x")


def left_over(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def start_writer(root: Path) -> subprocess.Popen[bytes]:
    """Start a child and wait for its first line."""
    command = [sys.executable, "-c", WRITER, str(root)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline()
    return child


def test_a_folder_without_write_permission_is_named_with_the_fix(tmp_path: Path, folder: Folder) -> None:
    with (
        not_allowed(tmp_path),
        pytest.raises(StorageUnavailable, match=r"a\.json.*Permission denied.*write permission"),
    ):
        folder.put_once("parts/1/a.json", b"x")
    with (
        not_allowed(tmp_path),
        pytest.raises(StorageUnavailable, match=r"1\.csv.*Permission denied"),
        folder.writing("csv/1/1.csv"),
    ):
        pytest.fail("the block must not start")


def test_a_file_where_the_files_folder_should_be_is_named_with_the_fix(tmp_path: Path, folder: Folder) -> None:
    (tmp_path / "files").write_text("in the way")

    for use in (folder.read, folder.stream, folder.delete_folder):
        with pytest.raises(StorageUnavailable, match=r"files/csv.*Not a directory.*set another folder"):
            use("csv/1/1.csv")
    with pytest.raises(StorageUnavailable, match=r"files/csv.*(Not a directory|File exists)"):
        folder.put_once("csv/1/1.csv", b"x")


def test_a_full_disk_leaves_no_part(tmp_path: Path, folder: Folder) -> None:
    with files_end_at(500_000), pytest.raises(StorageUnavailable, match=r"a\.json cannot be used.*To fix it"):
        folder.put_once("parts/1/a.json", BIG)

    assert left_over(tmp_path) == []
    assert folder.put_once("parts/1/a.json", BIG)


def test_a_disk_that_fills_up_while_writing_leaves_no_file(tmp_path: Path, folder: Folder) -> None:
    def fill_up() -> None:
        with folder.writing("csv/1/1.csv") as sink:
            for _ in range(1000):
                sink.write(BIG[:1000])

    with files_end_at(500_000), pytest.raises(StorageUnavailable, match=r"1\.csv cannot be used"):
        fill_up()

    assert left_over(tmp_path) == []


def test_a_disk_that_is_full_at_the_last_byte_leaves_no_file(tmp_path: Path, folder: Folder) -> None:
    def write_little() -> None:  # little enough to wait in the buffer until the block ends
        with folder.writing("csv/1/1.csv") as sink:
            sink.write(b"x" * 1000)

    with files_end_at(500), pytest.raises(StorageUnavailable, match=r"1\.csv cannot be used"):
        write_little()

    assert left_over(tmp_path) == []


def test_a_writer_killed_half_way_leaves_nothing_under_the_key(tmp_path: Path, folder: Folder) -> None:
    child = start_writer(tmp_path / "files")
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert child.returncode == -signal.SIGKILL

    assert folder.read("csv/1/1.csv") is None
    assert [re.sub("[0-9a-f]{32}", "*", path.name) for path in left_over(tmp_path)] == [".1.csv.*.tmp"]
    assert folder.put_once("csv/1/1.csv", b"whole")

    folder.delete_folder("csv/1")

    assert left_over(tmp_path) == []


@pytest.mark.parametrize("store", [keep_at_once, write_in_chunks])
def test_a_file_is_on_the_disk_before_its_name_and_its_name_before_the_call_returns(
    tmp_path: Path, folder: Folder, monkeypatch: pytest.MonkeyPatch, store: Callable[[Folder], None]
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))

    store(folder)

    files = tmp_path / "files"
    in_order = [tmp_path, files, files / "csv", files / "csv/1/1.csv", files / "csv/1"]
    assert synced == [path.stat().st_ino for path in in_order]


@pytest.mark.parametrize("store", [keep_at_once, write_in_chunks])
def test_a_file_that_the_disk_does_not_confirm_is_not_stored(
    tmp_path: Path, folder: Folder, monkeypatch: pytest.MonkeyPatch, store: Callable[[Folder], None]
) -> None:
    (tmp_path / "files/csv/1").mkdir(parents=True)

    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), descriptor)

    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(StorageUnavailable, match=r"1\.csv cannot be used: Input/output error.*check this disk"):
        store(folder)

    assert left_over(tmp_path) == []


def test_a_folder_gives_no_urls(folder: Folder) -> None:
    assert folder.signed_url("csv/1/1.csv", Download("memberships.csv", "text/csv; charset=utf-8"), 60) is None


def test_stored_files_are_for_this_user_only(tmp_path: Path, folder: Folder) -> None:
    folder.put_once("parts/1/a.json", b"x")
    with folder.writing("csv/1/1.csv") as sink:
        sink.write(b"x")

    assert {path.stat().st_mode & 0o777 for path in left_over(tmp_path)} == {0o600}
    assert (tmp_path / "files").stat().st_mode & 0o777 == 0o700
