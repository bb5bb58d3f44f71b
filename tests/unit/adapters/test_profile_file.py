"""Where profiles are: files, and those that come with the service."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from memberships_export.adapters.source.profile_file import (
    load_profile,
    schema_text,
    shipped_descriptions,
    shipped_names,
    shipped_text,
)
from memberships_export.domain.source.profile_file.problems import ProfileInvalid

OURS = shipped_text("memberships")


def problems_of(place: str) -> list[str]:
    with pytest.raises(ProfileInvalid) as refused:
        load_profile(place)
    return list(refused.value.problems)


def written(path: Path, content: str | bytes) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def test_a_profile_that_comes_with_the_service_is_known_by_its_name() -> None:
    known = load_profile("memberships")

    assert (known.name, known.text, known.profile.request.path) == ("memberships", OURS, "/memberships")


def test_a_cold_start_by_a_profile_that_comes_along_loads_no_rules() -> None:
    program = (
        "import sys\n"
        "from memberships_export.adapters.source.profile_file import load_profile\n"
        "load_profile('memberships')\n"
        "print(*(name for name in sys.modules if name.endswith(('_rules', '.profile_shape', 'difflib'))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "\n"


def test_a_file_is_known_by_its_name_without_its_folder(tmp_path: Path) -> None:
    known = load_profile(written(tmp_path / "club.toml", OURS))

    assert (known.name, known.fingerprint) == ("club.toml", load_profile("memberships").fingerprint)


def test_a_file_in_this_folder_needs_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "memberships.toml", OURS + "# mine")
    monkeypatch.chdir(tmp_path)

    assert load_profile("memberships.toml").text.endswith("# mine")
    assert load_profile("./memberships.toml").text.endswith("# mine")


def test_a_file_of_another_system_is_read_too(tmp_path: Path) -> None:
    known = load_profile(written(tmp_path / "club.toml", b"\xef\xbb\xbf" + OURS.replace("\n", "\r\n").encode()))

    assert known.profile == load_profile("memberships").profile


def test_a_name_that_is_no_profile_is_answered_with_those_that_are() -> None:
    (problem,) = problems_of("membership")

    assert problem.startswith("no such profile comes with the service: did you mean memberships? There are chargebee, ")
    assert all(name in problem for name in shipped_names())


@pytest.mark.parametrize("name", ["", "..", "memberships\x00", "Memberships", "*"])
def test_only_whole_names_are_names(name: str) -> None:
    assert "no such profile comes with the service" in problems_of(name)[0]


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    assert problems_of(str(tmp_path / "club.toml")) == ["cannot be read: No such file or directory"]


def test_a_folder_and_a_pipe_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")

    for place in (f"{tmp_path}/", str(tmp_path / "pipe.toml"), "/dev/zero"):
        assert problems_of(place) == ["is no file: name the file itself"]


def test_a_name_that_no_file_can_have_is_refused() -> None:
    assert problems_of("a\x00.toml") == ["cannot be read: no file can have this name"]
    assert problems_of(f"{'x' * 300}.toml") == ["cannot be read: File name too long"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    place = written(tmp_path / "club.toml", OURS)
    Path(place).chmod(0)

    assert problems_of(place) == ["cannot be read: Permission denied"]


def test_a_file_that_is_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    padding = b"#" * (256 * 1024 - len(OURS.encode()))

    assert load_profile(written(tmp_path / "full.toml", OURS.encode() + padding)).name == "full.toml"
    assert problems_of(written(tmp_path / "huge.toml", OURS.encode() + padding + b"#")) == [
        "is larger than 256 KiB: it is no profile"
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_a_file_that_is_not_utf_8_says_in_which_line(tmp_path: Path, encoding: str) -> None:
    place = written(tmp_path / "club.toml", ("# one\n" + OURS + "# Zürich\n").encode(encoding))

    (problem,) = problems_of(place)
    assert problem.startswith("is not written in UTF-8 (line ")


def test_what_is_wrong_in_a_file_is_told_all_at_once(tmp_path: Path) -> None:
    wrong = OURS.replace("version = 1", "version = 2").replace('order = "rising"', 'order = "up"')

    assert len(problems_of(written(tmp_path / "club.toml", wrong))) == 2


def test_a_nul_and_deep_nesting_are_problems_of_the_file(tmp_path: Path) -> None:
    assert "is not TOML" in problems_of(written(tmp_path / "nul.toml", OURS + "\x00"))[0]
    assert "nested" in problems_of(written(tmp_path / "deep.toml", "a = " + "[" * 100_000))[0]


def test_each_profile_that_comes_with_the_service_says_for_what() -> None:
    told = shipped_descriptions()

    assert list(told) == shipped_names()
    assert all(told.values())


def test_the_schema_comes_with_the_service() -> None:
    assert '"title": "Profile of a memberships API"' in schema_text()
