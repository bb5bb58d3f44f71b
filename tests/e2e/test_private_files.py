"""After everything that one machine can do, nothing in its data folder is for anybody else."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.command_line import environ_of, mails_of, run, running

MEMBERS = "userId,name,recurringPrice,validFrom,state,billingInterval,billingPeriods\n"
ROW = "anna,Gold,120,2024-01-01,active,month,1\n"
TOP = ("bells", "exports.db", "memberships.db", "files", "outbox", "processes", "secrets")


@contextmanager
def nothing_masked() -> Iterator[None]:
    """Files get the rights that a program asks for; the processes that are started have it from us."""
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


def rights(root: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the rights of all files, and of all folders, by path."""
    files, folders = dict[str, str](), dict[str, str]()
    for path in [root, *root.rglob("*")]:
        with suppress(FileNotFoundError):  # a service that works has deleted it meanwhile
            found = path.stat()
            (folders if stat.S_ISDIR(found.st_mode) else files)[str(path)] = oct(found.st_mode & 0o777)
    return files, folders


@pytest.mark.parametrize("prepared", [None, 0o755, 0o777])
def test_after_a_whole_export_no_file_of_the_service_is_for_others(tmp_path: Path, prepared: int | None) -> None:
    data, source = tmp_path / "parent" / "data", tmp_path / "members.csv"
    source.write_text(MEMBERS + ROW)
    if prepared:
        data.mkdir(parents=True)
        data.chmod(prepared)
    with nothing_masked():
        assert run(environ_of(data), "import", str(source)).returncode == 0
        with running(environ_of(data), tmp_path) as service:
            anna = service.as_user("anna", "anna@example.org")
            export_id = anna.ask("request")
            anna.ask("watch", export_id)
            files, folders = rights(data)

    assert len(mails_of(data, export_id)) == 1
    assert {name for name in files if files[name] != "0o600"} == set()
    assert {name for name in folders if folders[name] != "0o700"} == set()
    assert any(name.endswith("-wal") for name in files), "it was looked at while the service ran"
    unknown = [path.name for path in data.iterdir() if not path.name.startswith(TOP)]
    assert unknown == [], "adapters/embedded/private.py has to know these as ours"


def test_a_token_made_first_leaves_nothing_open(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o755)
    with nothing_masked():
        result = run(environ_of(data), "token", "--user-id", "anna", "--email", "anna@example.org")

    files, folders = rights(data)
    assert (result.returncode, len(result.stdout.splitlines())) == (0, 1)
    assert "closed_to_others" in result.stderr
    assert (set(files.values()), set(folders.values())) == ({"0o600"}, {"0o700"})


@pytest.mark.parametrize(
    "command",
    [
        ("serve",),
        ("worker", "--port", "1"),
        ("api",),
        ("import", "members.csv"),
        ("token", "--user-id", "a", "--email", "a@b.de"),
    ],
    ids=lambda command: command[0],
)
def test_each_command_refuses_an_open_folder_that_holds_other_things(tmp_path: Path, command: tuple[str, ...]) -> None:
    source, data = tmp_path / "members.csv", tmp_path / "site"
    source.write_text(MEMBERS + ROW)
    data.mkdir()
    data.chmod(0o755)
    (data / "index.html").touch()

    result = run(environ_of(data), *(str(source) if word == source.name else word for word in command))

    assert (result.returncode, result.stdout) == (1, "")
    assert (
        f"{data} cannot be used: others can read it, and it holds other things than ours (index.html)" in result.stderr
    )
    assert [path.name for path in data.iterdir()] == ["index.html"]


def test_the_demo_leaves_nothing_open(tmp_path: Path) -> None:
    with nothing_masked():
        result = run({**environ_of(tmp_path / "unused"), "TMPDIR": str(tmp_path)}, "demo", "--rows", "20")

    files, folders = rights(next(tmp_path.glob("memberships-export-demo-*")))
    assert result.returncode == 0, result.stderr
    assert {name for name in files if files[name] != "0o600"} == set()
    assert {name for name in folders if folders[name] != "0o700"} == set()
