"""What `watch` draws, on real pseudo-terminals of different abilities."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.unit.cli.stub_api import EXPORT_ID, StubApi, a_completed_answer, an_answer, stub_api


@pytest.fixture
def api() -> Iterator[StubApi]:
    """Stand in for the export API."""
    with stub_api() as running:
        yield running


PLAIN = {"TERM": "xterm", "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
PROGRAM = [sys.executable, "-m", "memberships_export.entrypoints.cli.main"]


def watched(api: StubApi, terminal: dict[str, str]) -> str:
    """Return what a terminal gets to see."""
    api.will(an_answer(), a_completed_answer())
    ours = {"MEMBERSHIPS_EXPORT_URL": api.url, "MEMBERSHIPS_EXPORT_TOKEN": "a.b.c"}
    inherited = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    seen, end = pty.openpty()
    environ = {**inherited, **PLAIN, **ours, **terminal}
    with subprocess.Popen([*PROGRAM, "watch", EXPORT_ID], env=environ, stdin=end, stdout=end, stderr=end) as watch:
        os.close(end)
        content = b"".join(iter(lambda: read(seen), b""))
    os.close(seen)
    assert watch.returncode == 0, content
    return content.decode("utf-8")


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how a pseudo-terminal says that nobody has it open any more
        return b""


def test_a_good_terminal_shows_bars(api: StubApi) -> None:
    text = watched(api, {})
    assert "━" in text
    assert "2,000 of 2,000 rows" in text


@pytest.mark.parametrize("terminal", [{"TERM": "dumb"}, {"TERM": "unknown"}, {"COLUMNS": "20"}], ids=str)
def test_a_terminal_that_cannot_show_bars_gets_lines(api: StubApi, terminal: dict[str, str]) -> None:
    text = watched(api, terminal)
    assert text.splitlines()[:2] == ["running at fetch, 400 of 2,000 rows fetched", "completed"]
    assert "\x1b" not in text


def test_a_terminal_without_colours_gets_none(api: StubApi) -> None:
    assert "\x1b[3" not in watched(api, {"NO_COLOR": "1"})


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_bars_are_made_of_what_the_terminal_knows(api: StubApi, encoding: str) -> None:
    text = watched(api, {"PYTHONIOENCODING": encoding})
    assert text.isascii()
    assert "2,000 of 2,000 rows" in text
    assert "\\u" not in text


def test_what_is_said_while_the_service_is_away_stands_above_the_bars(api: StubApi) -> None:
    api.will(an_answer())
    api.will(b"", status=502)
    text = watched(api, {})
    assert "Trying again for up to 5 minutes." in text
    assert text.index("The service answers again.") < text.rindex("2,000 of 2,000 rows")
