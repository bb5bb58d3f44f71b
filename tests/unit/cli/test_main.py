import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from memberships_export.entrypoints.cli import main
from memberships_export.entrypoints.cli.environment import settings_here
from memberships_export.entrypoints.cli.exits import ExitCode
from tests.unit.cli.conftest import Cli

PROGRAM = str(Path(sys.executable).parent / "memberships-export")
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


def test_the_version_is_that_of_the_package(cli: Cli) -> None:
    result = cli("--version")
    python = ".".join(map(str, sys.version_info[:3]))
    assert (result.exit_code, result.stdout) == (
        0,
        f"memberships-export {metadata.version('memberships-export')} (Python {python})\n",
    )


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands_and_values(cli: Cli, shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = {"COMP_WORDS": "memberships-export request --preset s", "COMP_CWORD": "3"}
    typed |= {
        "_TYPER_COMPLETE_ARGS": "memberships-export request --preset s",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    environ = {**os.environ, **typed, "_MEMBERSHIPS_EXPORT_COMPLETE": f"complete_{shell}"}
    completed = subprocess.run([PROGRAM], env=environ, capture_output=True, check=True, text=True)
    assert "spreadsheet" in completed.stdout
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")  # the tests may run below no shell
    shown = cli("--show-completion", shell)
    assert (shown.exit_code, "COMPLETE" in shown.stdout) == (0, True)


def test_completion_that_cannot_be_installed_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    environ = {**os.environ, "HOME": str(tmp_path / "home"), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    command = [PROGRAM, "--install-completion", "bash"]
    result = subprocess.run(command, env=environ, capture_output=True, check=False, text=True)
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert str(tmp_path / "home") in result.stderr


WITH_JSON = ("status x", "watch x", "list", "cancel x", "resend x", "request", "dlq list", "dlq show x")


@pytest.mark.parametrize("command", WITH_JSON)
def test_with_json_an_error_is_json_too_and_the_exit_code_is_the_same(cli: Cli, tmp_path: Path, command: str) -> None:
    environ = {"MEMBERSHIPS_EXPORT_DATA_DIR": str(tmp_path), "MEMBERSHIPS_EXPORT_TOKEN": ""}
    plain, result = cli(*command.split(), **environ), cli(*command.split(), "--json", **environ)
    assert json.loads(result.stdout)["error"] == {
        "code": "usage",
        "message": plain.stderr.rstrip("\n"),
        "exitCode": plain.exit_code,
    }
    assert (plain.exit_code, plain.stdout, result.exit_code, result.stderr) == (2, "", 2, plain.stderr)


@pytest.mark.parametrize(
    "arguments",
    [("status",), ("nonsense",), ("list", "--nonsense"), ("request", "--preset", "pdf"), ("dlq", "show"), ("dlq", "x")],
)
def test_with_json_wrong_arguments_are_told_as_json(cli: Cli, arguments: tuple[str, ...]) -> None:
    result = cli(*arguments, "--json")
    error = json.loads(result.stdout)["error"]
    assert (result.exit_code, error["code"], error["exitCode"]) == (2, "usage", 2)
    assert error["message"]


def test_with_json_wrong_settings_are_told_as_json(cli: Cli) -> None:
    result = cli("dlq", "list", "--json", MEMBERSHIPS_EXPORT_WORKERS="0")
    assert "MEMBERSHIPS_EXPORT_WORKERS" in json.loads(result.stdout)["error"]["message"]
    assert result.exit_code == 2


def test_json_that_is_not_an_option_does_not_ask_for_json(cli: Cli) -> None:
    assert cli("list", "--", "--json").stdout == ""


def test_help_and_client_commands_do_not_wait_for_the_web_framework() -> None:
    heavy = "{'fastapi', 'uvicorn', 'cryptography', 'sqlite3', 'urllib3', 'memberships_api'}"
    code = f"import sys, memberships_export.entrypoints.cli.main; print(sorted({heavy} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert loaded.stdout == "[]\n"


def test_help_does_not_wait_for_use_cases() -> None:
    rooms = ("memberships_export.service", "memberships_export.ports")
    code = (
        "import sys, memberships_export.entrypoints.cli.main; "
        f"print([name for name in sys.modules if name.startswith({rooms})])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert loaded.stdout == "[]\n"


@pytest.mark.parametrize("command", ["serve", "api", "worker"])
def test_wrong_settings_keep_the_service_from_starting(cli: Cli, tmp_path: Path, command: str) -> None:
    result = cli(command, MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path), MEMBERSHIPS_EXPORT_MAILER="pigeon")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "MEMBERSHIPS_EXPORT_MAILER is 'pigeon'" in result.stderr


@pytest.mark.parametrize("command", ["serve", "api", "worker"])
@pytest.mark.parametrize("port", ["65536", "-1", "http", "8000.5", ""])
def test_a_wrong_port_names_the_flag(cli: Cli, tmp_path: Path, command: str, port: str) -> None:
    result = cli(command, "--port", port, MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--port" in result.stderr


@pytest.mark.parametrize("command", ["serve", "api"])
@pytest.mark.parametrize("host", ["240.0.0.1", "", " "])
def test_a_wrong_host_names_the_flag(cli: Cli, tmp_path: Path, command: str, host: str) -> None:
    environ = {"MEMBERSHIPS_EXPORT_DATA_DIR": str(tmp_path), "MEMBERSHIPS_EXPORT_HOST": "127.0.0.1"}
    result = cli(command, "--host", host, **environ)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--host" in result.stderr


def test_flags_win_over_variables_and_leave_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"HOST": "240.0.0.1", "PORT": "99", "WORKERS": "3"}.items():
        monkeypatch.setenv(f"MEMBERSHIPS_EXPORT_{name}", value)
    settings = settings_here({"host": "127.0.0.1", "port": "0"})
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 0, 3)


def test_a_worker_alone_cannot_find_an_api_on_a_free_port(cli: Cli, tmp_path: Path) -> None:
    result = cli("worker", MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path), MEMBERSHIPS_EXPORT_PORT="0")
    assert result.exit_code == 2
    assert "MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL" in result.stderr
