import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from memberships_export.entrypoints.cli import logs, main
from memberships_export.entrypoints.cli.exits import ExitCode
from tests.unit.cli.conftest import Cli

COMMANDS = (
    *("demo", "serve", "api", "worker", "token", "import"),
    *("request", "status", "watch", "list", "cancel", "resend"),
    *("dlq list", "dlq show", "dlq redrive", "dlq purge"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(cli: Cli, command: str) -> None:
    result = cli(*command.split(), "--help", TERM="dumb")
    assert result.exit_code == 0
    said = [line.strip(" │") for line in result.stdout.splitlines()]
    assert any(line.endswith(".") and len(line.split()) > 2 for line in said)


def test_help_lists_the_commands_and_the_exit_codes(cli: Cli) -> None:
    said = cli("--help").stdout
    assert [command for command in COMMANDS if command.split()[0] not in said] == []
    assert "Exit codes: 0 done" in said
    assert main.__doc__ is not None
    assert [line for line in main.__doc__.splitlines() if line[:1].isdigit()] == [
        f"{code}  {text}"
        for code, text in zip(
            map(int, ExitCode),
            (
                "what was asked for is done",
                "what was asked for failed, was refused or is not there",
                "wrong arguments or settings",
                "the service cannot be reached",
            ),
            strict=True,
        )
    ]


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("status",), ("request", "--preset", "pdf"), ("demo", "--rows", "-1")]
)
def test_wrong_arguments_end_with_2(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert cli(*arguments).exit_code == 2


def test_help_and_client_commands_do_not_wait_for_the_web_framework() -> None:
    heavy = "{'fastapi', 'uvicorn', 'cryptography', 'sqlite3', 'urllib3', 'memberships_api'}"
    code = f"import sys, memberships_export.entrypoints.cli.main; print(sorted({heavy} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert loaded.stdout == "[]\n"


@pytest.mark.parametrize("command", ["serve", "api", "worker"])
def test_wrong_settings_keep_the_service_from_starting(cli: Cli, tmp_path: Path, command: str) -> None:
    result = cli(command, MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path), MEMBERSHIPS_EXPORT_MAILER="pigeon")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "MEMBERSHIPS_EXPORT_MAILER is 'pigeon'" in result.stderr


def test_a_worker_alone_cannot_find_an_api_on_a_free_port(cli: Cli, tmp_path: Path) -> None:
    result = cli("worker", MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path), MEMBERSHIPS_EXPORT_PORT="0")
    assert result.exit_code == 2
    assert "MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL" in result.stderr


def test_a_log_event_is_one_line_whatever_it_quotes() -> None:
    try:
        json.loads("{")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "said %s", ("a\r\nb",), sys.exc_info())
    line = logs.formatter().format(record)
    assert "\n" not in line
    assert "said a\\r\\nb" in line
    assert "JSONDecodeError" in line
