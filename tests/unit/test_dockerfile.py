"""The container of the API, as far as its recipe tells; building it needs a container engine."""

import json
import re
from pathlib import Path
from subprocess import run
from sys import executable

import pytest

from memberships_export.entrypoints.cli.main import make_app
from memberships_export.settings import read_settings
from rig.loopback import LoopbackHandler, LoopbackServer

ROOT = Path(__file__).parents[2]
Instruction = tuple[str, str]


def instructions() -> list[Instruction]:
    """Return name and arguments of each instruction, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(name, arguments) for name, _, arguments in (line.partition(" ") for line in lines if line)]


def arguments_of(name: str) -> list[str]:
    return [arguments for found, arguments in instructions() if found == name]


def final_stage() -> list[Instruction]:
    found = instructions()
    last = max(index for index, (name, _) in enumerate(found) if name == "FROM")
    return found[last:]


def environment() -> dict[str, str]:
    return dict(pair.split("=", maxsplit=1) for pair in " ".join(arguments_of("ENV")).split())


def copied() -> list[str]:
    """Return what is copied from the checkout."""
    from_checkout = [arguments for arguments in arguments_of("COPY") if not arguments.startswith("--from=")]
    return [source for arguments in from_checkout for source in arguments.split()[:-1]]


def health_command() -> list[str]:
    (check,) = [arguments for name, arguments in final_stage() if name == "HEALTHCHECK"]
    command: list[str] = json.loads(check.split("CMD ", maxsplit=1)[1])
    return [executable, *command[1:]]


def test_the_image_runs_as_a_user_without_rights_given_by_number() -> None:
    users = [arguments for name, arguments in final_stage() if name == "USER"]

    assert len(users) == 1
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[0])


def test_nothing_is_downloaded_but_locked_wheels() -> None:
    installs = [line for line in arguments_of("RUN") if "pip install" in line]

    assert arguments_of("ADD") == []
    assert [line for line in arguments_of("RUN") if "://" in line or "apt" in line] == []
    assert [line for line in installs if "--require-hashes" not in line and "--no-deps" not in line] == []
    assert any("--require-hashes -r requirements/container.txt" in line for line in installs)


def test_each_base_has_a_version() -> None:
    for base in arguments_of("FROM"):
        assert re.match(r"python:\d+\.\d+-slim-\w+", base), base


@pytest.mark.parametrize("source", copied())
def test_what_is_copied_exists_and_is_not_ignored(source: str) -> None:
    assert (ROOT / source).exists()
    assert f"!{source}" in (ROOT / ".dockerignore").read_text().splitlines()


def test_everything_else_is_ignored() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()

    assert [line for line in lines if line and not line.startswith(("#", "!", "**/"))] == ["*"]
    assert sorted(line[1:] for line in lines if line.startswith("!")) == sorted(copied())


def test_its_command_exists() -> None:
    (command,) = [json.loads(arguments) for name, arguments in final_stage() if name == "CMD"]

    assert command[0] == "memberships-export"
    assert command[1] in {known.name for known in make_app().registered_commands}


def test_it_listens_to_everybody_on_the_port_it_exposes() -> None:
    variables = {name: value for name, value in environment().items() if name.startswith("MEMBERSHIPS_EXPORT_")}
    settings = read_settings(variables)

    assert (settings.host, [str(settings.port)]) == ("0.0.0.0", arguments_of("EXPOSE"))  # noqa: S104


@pytest.mark.parametrize("status,exit_status", [(200, 0), (503, 1)])
def test_its_health_check_asks_healthz(status: int, exit_status: int) -> None:
    asked = []

    class Health(LoopbackHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with LoopbackServer(Health) as server:
        done = run(
            health_command(),
            env={"MEMBERSHIPS_EXPORT_PORT": str(server.server_port)},
            capture_output=True,
            check=False,
        )

    assert (done.returncode, asked) == (exit_status, ["/healthz"])
