"""`mail preview`: an example of a mail, in the look of the settings."""

import json
import webbrowser
from pathlib import Path

import pytest

from memberships_export.domain.formats.options import LANGUAGES, Format
from memberships_export.domain.mail.examples import EVENTS
from memberships_export.entrypoints.cli.exits import ExitCode
from tests.unit.cli.conftest import Cli


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("language", [*LANGUAGES, "de-CH"])
def test_subject_text_and_page_of_an_example_are_written(cli: Cli, tmp_path: Path, event: str, language: str) -> None:
    shown = cli("mail", "preview", event, "--language", language, "--to", str(tmp_path / "new" / "folder"))

    subject, *paths = shown.stdout.splitlines()
    assert (shown.exit_code, shown.stderr) == (ExitCode.DONE, "")
    assert [Path(path).name for path in paths] == [
        f"{event}-{language}.{end}" for end in ("subject.txt", "txt", "html")
    ]
    first, text, page = (Path(path).read_text(encoding="utf-8") for path in paths)
    assert first == f"{subject}\n"
    assert subject in text
    assert f'<html lang="{language}"' in page


def test_an_example_shows_what_was_asked_for_in_the_look_of_the_settings(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMBERSHIPS_EXPORT_BRAND_NAME", "TSV Süd")
    monkeypatch.setenv("MEMBERSHIPS_EXPORT_BRAND_COLOUR", "#FFD500")
    monkeypatch.setenv("MEMBERSHIPS_EXPORT_CONTACT", "office@club.example")
    monkeypatch.setenv("MEMBERSHIPS_EXPORT_TIME_ZONE", "Europe/Berlin")
    cli("mail", "preview", "ready", "--format", "xlsx", "--link", "--to", str(tmp_path))

    text, page = ((tmp_path / f"ready-en.{ending}").read_text(encoding="utf-8") for ending in ("txt", "html"))
    assert text.startswith("TSV Süd\n")
    assert "memberships-2026-03-01.xlsx (Excel, 457\xa0kB)" in text
    assert "/download/EXAMPLE" in text
    assert "(Europe/Berlin)" in text
    assert "office@club.example" in text
    assert "apostrophe" not in text, "there is none in such a file"
    assert "background-color: #ffd500; border: 1px solid #a68a00" in page, "a yellow edge would not be seen on white"


@pytest.mark.parametrize("name", list(Format))
def test_there_is_an_example_for_every_kind_of_file(cli: Cli, tmp_path: Path, name: Format) -> None:
    assert cli("mail", "preview", "ready", "--format", name, "--to", str(tmp_path)).exit_code == ExitCode.DONE
    assert f".{name}" in (tmp_path / "ready-en.txt").read_text(encoding="utf-8")


def test_programs_are_told_where_the_files_are(cli: Cli, tmp_path: Path) -> None:
    shown = json.loads(cli("mail", "preview", "failed", "--to", str(tmp_path), "--json").stdout)

    assert shown["subject"] == "Your memberships export could not be finished"
    assert all(Path(path).exists() for path in shown["files"])


@pytest.mark.parametrize("event", ["", "redy", "../ready"])
def test_what_is_no_mail_is_answered_with_those_that_are(cli: Cli, event: str) -> None:
    refused = cli("mail", "preview", event)

    assert (refused.exit_code, refused.stdout) == (ExitCode.USAGE, "")
    assert "The mails: ready, failed." in refused.stderr


def test_without_a_name_the_mails_are_listed(cli: Cli) -> None:
    refused = cli("mail", "preview")

    assert (refused.exit_code, refused.stderr) == (ExitCode.USAGE, "Which mail? The mails: ready, failed.\n")


def test_what_is_no_language_of_ours_is_answered_with_those_that_are(cli: Cli) -> None:
    refused = cli("mail", "preview", "ready", "--language", "xx")

    assert refused.exit_code == ExitCode.USAGE
    assert refused.stderr == "'xx' is no language of the mails. The languages: en, de, fr, it, nl, es.\n"


def test_a_folder_that_cannot_be_written_to_is_named(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = cli("mail", "preview", "ready", "--to", str(tmp_path / "file"))

    assert refused.exit_code == ExitCode.FAILED
    assert f"The mail cannot be written to {tmp_path / 'file'}: " in refused.stderr


@pytest.mark.parametrize("opens", [True, False])
def test_the_page_is_opened_only_where_that_was_asked_for(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, opens: bool
) -> None:
    opened = list[str]()

    def open_page(url: str) -> bool:
        opened.append(url)
        return opens

    monkeypatch.setattr(webbrowser, "open", open_page)
    cli("mail", "preview", "ready", "--to", str(tmp_path))
    assert opened == []

    shown = cli("mail", "preview", "ready", "--to", str(tmp_path), "--open")
    assert opened == [(tmp_path / "ready-en.html").as_uri()]
    assert (shown.exit_code, "open the page yourself" in shown.stderr) == (ExitCode.DONE, not opens)
