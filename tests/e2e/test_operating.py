"""A service as its operator meets it: woken by a command, paused and resumed, drained."""

import json
import os
import sys
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from memberships_export.bootstrap.backend import connect
from memberships_export.domain.messages.message import Message
from memberships_export.settings import Settings
from tests.e2e.command_line import data_of, environ_of, mails_of, run, running

WAKE = """
import os, sys
facts = sys.stdin.read()
with open(sys.argv[1], "a") as woken:
    woken.write(os.environ["ALERT_KIND"] + " " + facts)
"""


def test_somebody_is_woken_by_the_command_once(tmp_path: Path) -> None:
    script, woken = tmp_path / "wake.py", tmp_path / "woken"
    script.write_text(WAKE)
    command = f"'{sys.executable}' '{script}' '{woken}'"
    with running(environ_of(tmp_path / "data"), tmp_path, "serve", "--alert-command", command) as service:
        letters = connect(Settings(data_dir=tmp_path / "data"), None).dead_letters
        letters.add(Message("-", {"errorCode": "foreign_rows", "exportId": "e-1", "email": "alice@example.org"}))
        service.until(lambda: "event=alerted" in service.log.read_text() or None, "an alert")
    kind, _, facts = woken.read_text().partition(" ")
    assert (kind, json.loads(facts)["exports"]) == ("failed:foreign_rows", ["e-1"])
    assert "alice" not in woken.read_text() + service.log.read_text()


def test_a_paused_service_accepts_says_so_and_goes_on_when_it_is_resumed(tmp_path: Path) -> None:
    with running(environ_of(tmp_path / "data"), tmp_path) as service:
        user = service.as_user("user-1", "alice@example.org")
        assert "To go on: memberships-export resume" in service.run("pause", "--reason", "The API moves.").stdout
        service.until(lambda: "Paused by" in user.ask("status", user.ask("request")) or None, "a pause")
        export_id = user.ask("request")
        assert json.loads(user.ask("status", export_id, "--json"))["paused"] is True
        assert mails_of(data_of(service), export_id) == []
        assert service.run("resume").stdout.startswith("The service works again.")
        service.until(lambda: mails_of(data_of(service), export_id) or None, "the mail")


def test_a_service_that_cannot_write_its_mails_is_not_ready_and_wakes_somebody(tmp_path: Path) -> None:
    script, woken, outbox = tmp_path / "wake.py", tmp_path / "woken", tmp_path / "data" / "outbox"
    script.write_text(WAKE)
    command = f"'{sys.executable}' '{script}' '{woken}'"
    (tmp_path / "data").mkdir(mode=0o700)
    outbox.touch(mode=0o600)
    with running(environ_of(tmp_path / "data", alert_command=command), tmp_path) as service:
        assert status_of(f"{service.url}/readyz") == HTTPStatus.SERVICE_UNAVAILABLE
        service.until(lambda: "event=alerted" in service.log.read_text() or None, "an alert")
        outbox.unlink()
        service.until(lambda: status_of(f"{service.url}/readyz") == HTTPStatus.OK or None, "room again")
    kind, _, facts = woken.read_text().partition(" ")
    assert kind == "storage_unavailable"
    assert "outbox" in json.loads(facts)["text"]


def status_of(url: str) -> int:
    try:
        with urlopen(url) as answer:  # noqa: S310  (our own address)
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code


def test_a_worker_that_drains_does_what_is_there_and_ends_well(tmp_path: Path) -> None:
    environ = environ_of(tmp_path / "data")
    with running(environ, tmp_path, "api") as service:
        user = service.as_user("user-1", "alice@example.org")
        export_id = user.ask("request")
        port = service.url.rpartition(":")[2]
        done = run(environ | {"MEMBERSHIPS_EXPORT_PORT": port}, "worker", "--drain")
        assert done.returncode == os.EX_OK, done.stderr
        assert len(mails_of(data_of(service), export_id)) == 1
        assert "event=stopping drained=true" in done.stderr
