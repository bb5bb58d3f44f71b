"""The real command in real processes: what a person types, and what a supervisor does to a service."""

import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from email import policy
from email.parser import BytesParser
from hashlib import sha256
from io import StringIO
from pathlib import Path

import pytest
import urllib3

from memberships_export.bootstrap.backend import connect
from memberships_export.domain.messages.message import Message
from memberships_export.settings import Settings
from rig.loopback import free_port
from rig.services.fake_memberships import FakeMemberships
from rig.waiting import PATIENCE_SECONDS, until
from tests.e2e.command_line import (
    PROGRAM,
    Running,
    attachments_of,
    data_of,
    environ_of,
    files_mailed,
    mails_of,
    run,
    running,
)
from tests.life.patient import PATIENT


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that several tests use, each as a user of its own."""
    folder = tmp_path_factory.mktemp("service")
    with running(environ_of(folder / "data"), folder) as started:
        yield started


def an_export_of_a_user(service: Running) -> tuple[Running, str]:
    user = service.as_user("user-1", "member@example.org")
    return user, user.ask("request")


def test_from_a_csv_file_to_the_mail(service: Running, tmp_path: Path) -> None:
    source = tmp_path / "members.csv"
    source.write_text("member,plan,price,start\nanna,Gold,120,2024-01-01\nanna,=1+1,12.50,2024-02-01\n")
    columns = {"userId": "member", "name": "plan", "recurringPrice": "price", "validFrom": "start"}
    constants = {"state": "active", "billingInterval": "month", "billingPeriods": "1"}
    mapping = [word for field, column in columns.items() for word in ("--column", f"{field}={column}")]
    mapping += [word for field, value in constants.items() for word in ("--set", f"{field}={value}")]
    assert service.ask("import", str(source), *mapping) == "2 memberships imported."

    anna = service.as_user("anna", "anna@example.org")
    export_id = anna.ask("request")
    assert "status:      completed" in anna.ask("watch", export_id)
    (mail,) = mails_of(data_of(service), export_id)
    (content,) = attachments_of(mail)
    rows = list(csv.DictReader(StringIO(content.decode("utf-8-sig"), newline="")))
    assert (mail["To"], [row["Price"] for row in rows]) == ("anna@example.org", ["120", "12.50"])
    assert not rows[1]["Name"].startswith("=")

    shown = json.loads(anna.ask("status", export_id, "--json"))
    assert (shown["status"], shown["file"]["sha256"]) == ("completed", sha256(content).hexdigest())
    assert export_id in anna.ask("list")

    anna.ask("resend", export_id)
    anna.ask("watch", export_id)
    assert files_mailed(data_of(service), export_id) == [content, content]


def test_the_memberships_of_a_climbing_gym_can_be_exported(tmp_path: Path, shared_data: Path) -> None:
    source = shared_data / "climbing_gym" / "memberships.csv"
    columns = {"userId": "customer_id", "name": "membership_type", "recurringPrice": "price_per_month"}
    columns |= {"id": "membership_id", "validFrom": "start_date", "validUntil": "end_date", "state": "status"}
    mapping = [word for field, column in columns.items() for word in ("--column", f"{field}={column}")]
    mapping += ["--set", "billingInterval=month", "--set", "billingPeriods=1"]
    with running(environ_of(tmp_path), tmp_path) as service:
        assert service.ask("import", str(source), *mapping) == "800 memberships imported."
        member = service.as_user("17", "member-17@example.org")
        export_id = member.ask("request", "--preset", "raw")
        member.ask("watch", export_id)
    (content,) = files_mailed(tmp_path, export_id)
    with source.open(newline="") as file:
        own = [row["membership_id"] for row in csv.DictReader(file) if row["customer_id"] == "17"]
    assert [row["id"] for row in csv.DictReader(StringIO(content.decode(), newline=""))] == own != []


def test_another_user_sees_nothing_of_it(service: Running) -> None:
    bert, cleo = service.as_user("bert", "bert@example.org"), service.as_user("cleo", "cleo@example.org")
    export_id = bert.ask("request")
    result = cleo.run("status", export_id)
    assert (result.returncode, result.stdout) == (1, "")
    assert "404" in result.stderr
    assert json.loads(cleo.ask("list", "--json")) == {"items": []}


def test_a_forged_token_is_refused_with_advice(service: Running) -> None:
    forged = service.as_user("dora", "dora@example.org")
    token = run(
        environ_of(data_of(service) / "other"), "token", "--user-id", "dora", "--email", "dora@example.org"
    ).stdout
    result = forged.run("list", "--token", token.strip())
    assert (result.returncode, result.stdout) == (1, "")
    assert "memberships-export token" in result.stderr


def test_a_message_nobody_understands_is_shown_refused_and_purged(service: Running) -> None:
    ports = connect(Settings(data_dir=data_of(service)), "http://127.0.0.1")
    ports.queue.send(Message("not JSON"))
    letters = service.until(lambda: json.loads(service.ask("dlq", "list", "--json")), "the dead letter")
    assert [letter["errorCode"] for letter in letters] == ["invalid_message"]
    refused = service.run("dlq", "redrive", "--all")
    assert (refused.returncode, refused.stdout.splitlines()[-1]) == (1, "0 redriven, 0 finished, 1 refused")
    assert "not JSON" in service.ask("dlq", "show", letters[0]["exportId"])
    assert service.ask("dlq", "purge", "--yes") == "1 letter removed."


def test_a_failed_export_goes_on_after_redrive(tmp_path: Path) -> None:
    with FakeMemberships(rows=30, script=["status:404"]) as memberships:
        environ = environ_of(tmp_path, memberships_url=memberships.url, page_size="10")
        with running(environ, tmp_path) as service:
            user, export_id = an_export_of_a_user(service)
            watched = user.run("watch", export_id)
            assert watched.returncode == 1
            assert "in a form that we could not read" in watched.stdout, "what is for members"
            assert not re.search(r"\b404\b", watched.stdout), "an id may hold these digits"
            service.until(lambda: user.ask("dlq", "list"), "the dead letter")
            assert "status 404" in user.ask("dlq", "show", export_id), "what is for operators"
            assert user.ask("dlq", "redrive", export_id).endswith("1 redriven, 0 finished, 0 refused")
            assert user.run("watch", export_id).returncode == 0
    (content,) = files_mailed(tmp_path, export_id)
    assert len(list(csv.DictReader(StringIO(content.decode("utf-8-sig"), newline="")))) == 30


def test_an_export_that_hangs_can_be_cancelled_and_does_not_keep_the_service(tmp_path: Path) -> None:
    with FakeMemberships(rows=10, script=["hang*"]) as memberships:
        patient = {"memberships_timeout_seconds": "600", "lease_seconds": "700"}
        environ = environ_of(tmp_path, memberships_url=memberships.url, **patient)
        with running(environ, tmp_path) as service:
            user, export_id = an_export_of_a_user(service)
            service.until(lambda: memberships.calls, "the first call")
            assert "cancelled" in user.ask("cancel", export_id)
            assert user.run("watch", export_id).returncode == 1

            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(PATIENCE_SECONDS) == 0, "long before the call is given up"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_service_well(tmp_path: Path, number: signal.Signals) -> None:
    with running(environ_of(tmp_path), tmp_path, program=[sys.executable, *PATIENT]) as service:
        service.process.send_signal(number)
        assert service.process.wait(PATIENCE_SECONDS) == 0
    assert "event=stopped clean=true" in service.log.read_text()


def test_api_and_worker_as_two_processes(tmp_path: Path) -> None:
    with running(environ_of(tmp_path), tmp_path, "api") as api:
        user, export_id = an_export_of_a_user(api)
        assert json.loads(user.ask("status", export_id, "--json"))["status"] == "queued"
        environ = environ_of(tmp_path, port=api.url.rpartition(":")[2])
        with running(environ, tmp_path, "worker"):
            user.ask("watch", export_id)
    assert len(mails_of(tmp_path, export_id)) == 1


def test_the_log_is_one_line_per_event_without_anything_personal(service: Running) -> None:
    user = service.as_user("secret-user", "private@example.org")
    user.ask("watch", user.ask("request"))
    log = service.log.read_text()
    assert "event=requested" in log
    assert [line for line in log.splitlines() if not re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z [A-Z]+ \S+ \S", line)] == []
    assert "secret-user" not in log
    assert "private@" not in log
    assert user.environ["MEMBERSHIPS_EXPORT_TOKEN"] not in log


def test_a_port_in_use_is_told_at_once(service: Running, tmp_path: Path) -> None:
    result = run(environ_of(tmp_path, port=service.url.rpartition(":")[2]), "serve")
    assert (result.returncode, result.stdout) == (1, "")
    assert "MEMBERSHIPS_EXPORT_PORT" in result.stderr


def test_host_and_port_are_flags_too_and_win_over_the_variables(tmp_path: Path) -> None:
    environ = environ_of(tmp_path, port="1")
    with running(environ, tmp_path, "api", "--host", "0.0.0.0", "--port", "0") as api:  # noqa: S104  (what is tested)
        user, export_id = an_export_of_a_user(api)
        said = (tmp_path / "api.out").read_text()
        (command,) = re.findall(r"until a worker runs: .*memberships-export (worker --port \d+)$", said, re.MULTILINE)
        with running(environ, tmp_path, *command.split()):
            user.ask("watch", export_id)


def test_a_data_folder_that_cannot_be_made_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run(environ_of(tmp_path / "file" / "data"), "serve")
    assert (result.returncode, result.stdout) == (1, "")
    assert "MEMBERSHIPS_EXPORT_DATA_DIR" in result.stderr


def test_a_database_that_is_none_keeps_the_service_from_starting(tmp_path: Path) -> None:
    (tmp_path / "exports.db").write_bytes(b"no database" * 1000)
    result = run(environ_of(tmp_path), "serve")
    assert (result.returncode, result.stdout) == (1, "")
    assert "exports.db" in result.stderr


@pytest.mark.parametrize(
    "name, value",
    [("memberships_url", "http://api.example.org"), ("sendgrid_webhook_key", "x"), ("workers", "0"), ("prt", "1")],
)
def test_a_wrong_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    result = run(environ_of(tmp_path, **{name: value}), "serve")
    assert (result.returncode, result.stdout) == (2, "")
    assert f"MEMBERSHIPS_EXPORT_{name.upper()}" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_demo_brings_a_real_mail(tmp_path: Path) -> None:
    result = run(environ_of(tmp_path, workers="0", token="x") | {"TMPDIR": str(tmp_path)}, "demo", "--rows", "50")
    assert result.returncode == 0, result.stderr
    (folder,) = tmp_path.glob("memberships-export-demo-*")
    (mail_path,) = (folder / "data" / "outbox").glob("*.eml")
    mail = BytesParser(policy=policy.default).parsebytes(mail_path.read_bytes())
    (content,) = attachments_of(mail)
    assert sum(1 for _ in csv.reader(StringIO(content.decode("utf-8-sig"), newline=""))) == 51
    assert sha256(content).hexdigest() in result.stdout
    assert str(mail_path) in result.stdout
    (csv_path,) = folder.glob("memberships-*.csv")
    assert csv_path.read_bytes() == content


def test_a_demo_whose_service_does_not_start_fails_with_the_log(tmp_path: Path) -> None:
    (tmp_path / "uvicorn.py").write_text("raise ImportError('uvicorn is broken here')")
    result = run(environ_of(tmp_path) | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(tmp_path)}, "demo", "--rows", "1")
    assert result.returncode == 1
    assert "The service did not start." in result.stderr
    assert "uvicorn is broken here" in result.stderr


ASCII = ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "ascii"})
POOR = (*ASCII, {"TERM": "dumb"}, {"NO_COLOR": "1"}, {"COLUMNS": "20"}, {"COLUMNS": "1"}, {"TERM": ""})


@pytest.mark.parametrize("terminal", POOR, ids=str)
def test_a_poor_terminal_breaks_no_command(service: Running, tmp_path: Path, terminal: dict[str, str]) -> None:
    member = service.as_user("jörg-☃", "joerg@example.org")
    environ = {**member.environ, **terminal}
    commands = [
        ["--help"],
        ["--version"],
        ["watch", "--help"],
        ["nonsense-ü"],
        ["status", "ü"],
        ["token", "--user-id", "ü"],
    ]
    results = [run(environ, *command) for command in [*commands, ["list"], ["request"], ["dlq", "list"]]]
    results.append(run(environ_of(tmp_path) | {"TMPDIR": str(tmp_path)} | terminal, "demo", "--rows", "5"))
    assert [result.stderr for result in results if "Traceback" in result.stderr or result.returncode > 2] == []
    assert results[-1].returncode == 0, results[-1].stderr
    if terminal in ASCII:
        assert [result for result in results if not (result.stdout + result.stderr).isascii()] == []
        assert "Gr\\xf6\\xdfe" in results[-1].stdout


@pytest.mark.parametrize("command", [["--help"], ["list"], ["dlq", "list", "--json"], ["request"]])
def test_a_pipe_that_nobody_reads_is_no_trouble(service: Running, command: list[str]) -> None:
    environ = service.as_user("piper", "piper@example.org").environ
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run(
        [PROGRAM, *command],
        env=environ,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    os.close(writer)
    assert "Traceback" not in result.stderr
    assert "Exception ignored" not in result.stderr


def test_an_answer_that_cannot_be_written_is_told(service: Running) -> None:
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            [PROGRAM, "dlq", "list", "--json"], env=service.environ, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert result.returncode == 1
    assert result.stderr.decode() == "The answer cannot be written to the standard output: No space left on device.\n"


def test_watch_outlives_a_restart_of_the_service(tmp_path: Path) -> None:
    said, shown = tmp_path / "watch.err", tmp_path / "watch.out"
    with running(environ_of(tmp_path), tmp_path, "api") as service:
        user, export_id = an_export_of_a_user(service)
        with shown.open("wb") as out, said.open("wb") as err:
            watch = subprocess.Popen([PROGRAM, "watch", export_id[:8]], env=user.environ, stdout=out, stderr=err)
        service.until(shown.read_text, "the first line")
    try:
        retries = re.compile(r"Trying again for up to 5 minutes\.$")
        until(lambda: retries.search(said.read_text()), "the word about it", progress=said.read_text)
        with running(environ_of(tmp_path, port=service.url.rpartition(":")[2]), tmp_path, "serve"):
            watch.wait(PATIENCE_SECONDS)
    finally:
        code = ended(watch)
    assert (code, "\ncompleted\n" in shown.read_text()) == (0, True)
    assert [line.partition(" ")[0] for line in said.read_text().splitlines()] == ["Nothing", "The"]


def test_a_service_whose_welcome_nobody_can_read_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "serve.log"
    port = str(free_port())
    with Path("/dev/full").open("wb") as full, log.open("wb") as err:
        service = subprocess.Popen(
            [sys.executable, *PATIENT, "serve", "--port", port], env=environ_of(tmp_path), stdout=full, stderr=err
        )
    try:
        until(lambda: is_healthy(f"http://127.0.0.1:{port}/healthz"), "the service answering", progress=log.read_text)
        service.send_signal(signal.SIGTERM)
        assert service.wait(PATIENCE_SECONDS) == 0
    finally:
        ended(service)
    assert log.read_text().splitlines()[-1].endswith("event=stopped clean=true")


def is_healthy(url: str) -> bool:
    try:
        return bool(urllib3.request("GET", url, retries=False).status == 200)
    except urllib3.exceptions.HTTPError:
        return False


def start_demo(tmp_path: Path, *arguments: str, stdout: int | None = None) -> subprocess.Popen[bytes]:
    """Start a demo whose output is in demo.out, and all else below `work`."""
    (tmp_path / "work").mkdir()
    environ = environ_of(tmp_path) | {"TMPDIR": str(tmp_path / "work")}
    with (tmp_path / "demo.out").open("wb") as file:
        return subprocess.Popen([PROGRAM, "demo", *arguments], env=environ, stdout=stdout or file)


def said_by_the_demo(tmp_path: Path, pattern: str) -> re.Match[str]:
    shown = tmp_path / "demo.out"
    found = until(lambda: re.search(pattern, shown.read_text()), f"the demo saying {pattern}", progress=shown.read_text)
    assert found
    return found


def ended(demo: subprocess.Popen[bytes]) -> int:
    try:
        return demo.wait(PATIENCE_SECONDS)
    finally:
        demo.kill()
        demo.wait()


def nobody_listens(port: str) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", int(port))) != 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    "arguments, moment",
    [
        (["--rows", "0", "--keep"], r"keeps running until Ctrl-C"),
        (["--rows", "400000"], r"running at fetch"),
    ],
    ids=["kept", "under way"],
)
def test_a_demo_that_is_broken_off_leaves_no_process_and_no_files(
    tmp_path: Path, number: signal.Signals, arguments: list[str], moment: str
) -> None:
    demo = start_demo(tmp_path, *arguments)
    try:
        said_by_the_demo(tmp_path, moment)
        demo.send_signal(number)
    finally:
        code = ended(demo)
    assert code == (0 if number is signal.SIGINT and "--keep" in arguments else 128 + number)
    assert nobody_listens(said_by_the_demo(tmp_path, r"GET http://127\.0\.0\.1:(\d+)")[1])
    assert list((tmp_path / "work").iterdir()) == []


def test_a_demo_that_nobody_reads_ends_without_a_trace(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        demo = start_demo(tmp_path, "--rows", "0", stdout=writer)
    finally:
        os.close(writer)
    assert ended(demo) == 1
    assert list((tmp_path / "work").iterdir()) == []
