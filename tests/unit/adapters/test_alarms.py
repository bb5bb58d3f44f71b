"""The alarms: a command that hangs, fails, or says too much; a URL that redirects, or may not be called."""

import fcntl
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from memberships_export.adapters.alerts.command import CommandAlarm
from memberships_export.adapters.alerts.webhook import WebhookAlarm
from memberships_export.service.operator.alerts import Alert, AlertFailed
from rig.loopback import LoopbackHandler, LoopbackServer
from tests.fakes.memory import NOON

ALERT = Alert(kind="failed:foreign_rows", text="Look: dlq list", count=2, since=NOON, exports=("a", "b"))
FACTS = {
    "service": "memberships-export",
    "kind": "failed:foreign_rows",
    "text": "Look: dlq list",
    "count": 2,
    "since": NOON.isoformat(),
    "exports": ["a", "b"],
}
LONG_AGO = 0.2  # seconds, after which a command that never ends is ended


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def test_a_command_gets_the_facts_and_no_setting_of_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMBERSHIPS_EXPORT_LINK_SECRET", "s" * 40)
    found = tmp_path / "found"
    code = "import json, os, sys; json.dump([dict(os.environ), sys.stdin.read(), sys.argv[2]], open(sys.argv[1], 'w'))"
    CommandAlarm(python(code, str(found), "$(touch x); * 'q"))(ALERT)
    environ, line, argument = json.loads(found.read_text())
    assert json.loads(line) == FACTS
    assert line.count("\n") == 1
    assert argument == "$(touch x); * 'q"
    assert environ["ALERT_KIND"] == "failed:foreign_rows"
    assert (environ["ALERT_COUNT"], environ["ALERT_EXPORTS"]) == ("2", "a b")
    assert "PATH" in environ
    assert not [name for name in environ if name.startswith("MEMBERSHIPS_EXPORT_")]


def test_a_command_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """Parent and child share a lock, which is free when the last of them has died."""
    lock, ready = tmp_path / "lock", tmp_path / "ready"
    code = (
        "import fcntl, os, pathlib, signal, sys, time\n"
        "file = open(sys.argv[1], 'w')\n"
        "fcntl.flock(file, fcntl.LOCK_EX)\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "if os.fork() == 0:\n"
        "    pathlib.Path(sys.argv[2]).touch()\n"
        "time.sleep(1000)\n"
    )
    with pytest.raises(AlertFailed, match="with all it had started, because the service stops"):
        CommandAlarm(python(code, str(lock), str(ready)), seconds=1000, should_stop=ready.exists)(ALERT)
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)


def test_a_command_that_hangs_is_ended_after_its_time() -> None:
    with pytest.raises(AlertFailed, match=r"ended after 0\.2 seconds, with all it had started"):
        CommandAlarm(python("import time; time.sleep(1000)"), seconds=LONG_AGO)(ALERT)


def test_a_child_that_outlives_its_command_keeps_nobody_waiting(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys, time\n"
        "if child := os.fork():\n"
        "    pathlib.Path(sys.argv[1]).write_text(str(child))\n"
        "else:\n"
        "    time.sleep(1000)\n"
    )
    CommandAlarm(python(code, str(tmp_path / "child")), seconds=1000)(ALERT)
    os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)  # raises where it has ended before


def test_a_command_is_ended_when_the_service_stops() -> None:
    with pytest.raises(AlertFailed, match="was ended"):
        CommandAlarm(python("import time; time.sleep(1000)"), should_stop=lambda: True)(ALERT)


@pytest.mark.parametrize(
    "words, reason",
    [
        (python("raise SystemExit(3)"), "ended with 3"),
        (python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"), "ended with -9"),
        (["/nonexistent/program"], "cannot be started: No such file or directory"),
        (["/etc/passwd"], "cannot be started: Permission denied"),
    ],
)
def test_a_command_that_fails_says_how(words: list[str], reason: str) -> None:
    with pytest.raises(AlertFailed, match=reason):
        CommandAlarm(words)(ALERT)


def test_a_command_that_says_too_much_and_reads_nothing_comes_to_its_end(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        CommandAlarm(python("import sys\nsys.stdout.write('first\\x1b[2J\\n' + 'x' * 3_000_000)"))(ALERT)
    [line] = caplog.messages
    assert line.startswith("kind=failed:foreign_rows status=0 event=alert_command said=first\x1b[2J\nxxx")
    assert len(line) < 3000


class Hook(LoopbackHandler):
    got: ClassVar[list[tuple[str, str | None, object]]] = []  # one server at a time
    status: ClassVar[int] = 204

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Hook.got.append((self.path, self.headers["Content-Type"], json.loads(body)))
        self.send_response(Hook.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def hook(status: int) -> Iterator[str]:
    Hook.status, Hook.got = status, []
    with LoopbackServer(Hook) as server:
        yield server.url


def test_a_url_gets_the_facts_as_json() -> None:
    with hook(204) as url:
        WebhookAlarm("URL", f"{url}/hooks/abc")(ALERT)
    assert Hook.got == [("/hooks/abc", "application/json", FACTS)]


@pytest.mark.parametrize("status", [302, 307, 401, 404, 500])
def test_a_redirect_is_not_followed_and_only_2xx_is_good(status: int) -> None:
    with hook(status) as url, pytest.raises(AlertFailed, match=f"answered with status {status}"):
        WebhookAlarm("URL", f"{url}/hooks/abc")(ALERT)
    assert len(Hook.got) == 1


def test_where_nobody_listens_the_url_is_not_told() -> None:
    with hook(204) as url:
        pass
    with pytest.raises(AlertFailed) as caught:
        WebhookAlarm("URL", f"{url}/hooks/secret-word")(ALERT)
    assert "does not accept connections" in str(caught.value)
    assert "secret-word" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://hooks.example.org/secret-word", "https://u:secret-word@example.org/", "ftp://127.0.0.1/secret-word"]
)
def test_a_url_that_may_not_be_called_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ValueError, match="may not be called") as caught:
        WebhookAlarm("MEMBERSHIPS_EXPORT_ALERT_URL", url)
    assert "secret-word" not in str(caught.value)
