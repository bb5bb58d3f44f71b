import json
from pathlib import Path

import pytest

from memberships_export.bootstrap.backend import connect
from memberships_export.ports import Ports
from memberships_export.settings import Settings
from tests.unit.cli.conftest import Cli


@pytest.fixture
def ports(tmp_path: Path) -> Ports:
    """Those of another process of the service that has run here."""
    opened = connect(Settings(data_dir=tmp_path), None)
    opened.store.check()
    return opened


def test_a_pause_is_known_to_the_processes_of_the_service_and_so_is_its_end(
    cli: Cli, ports: Ports, tmp_path: Path
) -> None:
    told = cli("pause", "--reason", "The API moves.", MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path))
    assert told.exit_code == 0, told.output
    assert ": The API moves. What runs stops within a page." in told.stdout
    pause = ports.state.paused()
    assert pause is not None
    assert (pause.reason, pause.drain) == ("The API moves.", False)

    ended = cli("resume", "--json", MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path))
    assert json.loads(ended.stdout)["ended"]["reason"] == "The API moves."
    again = cli("resume", MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path))
    assert (again.exit_code, again.stdout) == (0, "The service was not paused.\n")


def test_a_pause_as_json_says_since_when_by_whom_and_how(cli: Cli, ports: Ports, tmp_path: Path) -> None:
    told = json.loads(cli("pause", "--drain", "--json", MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path)).stdout)["paused"]
    pause = ports.state.paused()
    assert pause is not None
    assert told == {"since": pause.since.isoformat(), "by": pause.by, "reason": "", "drain": True}


def test_what_somebody_typed_as_a_reason_cannot_steer_a_terminal_and_has_an_end(
    cli: Cli, ports: Ports, tmp_path: Path
) -> None:
    told = cli("pause", "--reason", "\x1b[2Jgone", MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path))
    assert "\x1b" not in told.stdout
    refused = cli("pause", "--reason", "x" * 501, MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path))
    assert (refused.exit_code, "at most 500" in refused.output) == (2, True)
    assert ports.state.paused()


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_where_no_service_has_run_there_is_nothing_to_pause(cli: Cli, tmp_path: Path, command: str) -> None:
    answer = cli(command, MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path))
    assert (answer.exit_code, "There are no exports in" in answer.output) == (2, True)
