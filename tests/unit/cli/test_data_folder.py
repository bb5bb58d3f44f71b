import errno
import os
import tempfile
from pathlib import Path

import pytest

from memberships_export.entrypoints.cli.data_folder import holds, make_writable
from memberships_export.entrypoints.cli.exits import CommandError
from tests.unit.cli.conftest import Cli


def trouble_with(folder: Path) -> str:
    with pytest.raises(CommandError) as refused:
        make_writable(folder)
    text = str(refused.value)
    assert text.startswith(f"The data folder {folder.absolute()} cannot be used (")
    assert text.endswith(", or choose another folder with MEMBERSHIPS_EXPORT_DATA_DIR.")
    return text


def test_the_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    make_writable(tmp_path / "a" / "data")
    assert (tmp_path / "a" / "data").stat().st_mode & 0o777 == 0o700
    make_writable(tmp_path / "a" / "data")


def test_a_file_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "has this name: move it away" in trouble_with(tmp_path / "file")
    assert "on the way to it: move it away" in trouble_with(tmp_path / "file" / "data")


def test_links_that_lead_nowhere_are_told(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "lost").symlink_to(tmp_path / "not mounted" / "data")
    assert "leads back to itself" in trouble_with(tmp_path / "loop")
    assert "leads back to itself" in trouble_with(tmp_path / "loop" / "data")
    assert "is mounted" in trouble_with(tmp_path / "lost")


def test_a_name_that_is_too_long_is_told(tmp_path: Path) -> None:
    assert "a shorter name" in trouble_with(tmp_path / ("a" * 300))


@pytest.mark.parametrize(
    "number, user, fix",
    [
        (errno.EROFS, 0, "mounted read-only: mount it writable"),
        (errno.ENOSPC, 1000, "free some space"),
        (errno.EDQUOT, 1000, "raise it"),
        (errno.EACCES, 1000, "Give this user (id 1000) the right to read and write there"),
        (errno.EPERM, 1000, "Give this user (id 1000) the right to read and write there"),
        (errno.EACCES, 0, "Run the service as a user who may"),
        (errno.EPERM, 0, "lsattr -d"),
    ],
)
def test_what_the_system_refuses_is_told_to_whom_it_refuses_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int, user: int, fix: str
) -> None:
    def refuse(**_options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    text = trouble_with(tmp_path)
    assert (fix in text, "(id 0)" in text) == (True, False)


def test_a_folder_that_cannot_be_looked_into_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert not holds(tmp_path, "exports.db")
    assert not holds(tmp_path / "missing", "exports.db")
    assert holds(tmp_path, "loop")
    with pytest.raises(CommandError, match="leads back to itself"):
        holds(tmp_path / "loop", "exports.db")


@pytest.mark.parametrize(
    "command",
    [
        ("serve", "--port", "0"),
        ("worker",),
        ("token", "--user-id", "a", "--email", "a@example.org"),
        ("dlq", "list"),
        ("dlq", "purge", "--yes"),
    ],
)
def test_every_command_tells_it_in_the_same_words(cli: Cli, tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "loop").symlink_to("loop")
    result = cli(*command, MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path / "loop"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "leads back to itself" in result.stderr
