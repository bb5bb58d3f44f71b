import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from memberships_export.bootstrap.parts import utc_now
from memberships_export.domain.errors import InvalidMessage, MembershipsContractBroken
from memberships_export.domain.export.held import claim
from memberships_export.domain.export.lifecycle import fail
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Entry, Export, ExportStatus, Happened
from memberships_export.domain.messages.letters import failure_attributes, invalid_letter
from memberships_export.domain.messages.message import Message, Received
from memberships_export.domain.messages.wake import wake_message
from memberships_export.ports import Ports
from memberships_export.settings import Settings
from tests.factories import an_export
from tests.unit.cli.conftest import Cli

Dlq = Callable[..., Result]


@pytest.fixture
def dlq(cli: Cli, tmp_path: Path) -> Dlq:
    def run(*arguments: str, **environ: str) -> Result:
        return cli("dlq", *arguments, **({"MEMBERSHIPS_EXPORT_DATA_DIR": str(tmp_path)} | environ))

    return run


def a_failed_export(ports: Ports, reason: str = "It answered 404.", **fields: str) -> Export:
    """A failed export in the store, and its letter."""
    now, policy = utc_now(), Policy()
    stored = ports.store.create(an_export(email="alice@example.org", requested_at=now, wake_at=now, **fields))
    running = ports.store.replace(stored, claim(stored, "w1", now, policy))
    assert running is not None
    failed = fail(running, MembershipsContractBroken(reason), now + timedelta(seconds=1), policy)
    written = ports.store.replace(running, failed)
    assert written is not None
    letter = wake_message(written)
    attributes = {**letter.attributes, **failure_attributes(written)}
    ports.dead_letters.add(Message(letter.body, attributes))
    return written


def test_the_list_tells_why_each_letter_is_there(dlq: Dlq, ports: Ports) -> None:
    export = a_failed_export(ports)
    header, line = dlq("list").stdout.splitlines()
    assert header.split("  ")[0] == "EXPORT ID"
    assert line.split()[:4] == [export.export_id, "fetch", "memberships_contract_broken", "1"]
    assert line.endswith("It answered 404.")


def test_a_letter_that_names_no_export_has_an_id_in_the_list_and_only_show_tells_it_apart(
    dlq: Dlq, ports: Ports
) -> None:
    why = {"stage": "receive", "errorCode": "received_too_often"}
    ports.dead_letters.add(Message("-", {"userId": "user-1", "email": "alice@example.org", **why}))
    (letter,) = json.loads(dlq("list", "--json").stdout)
    (shown,) = json.loads(dlq("show", letter["exportId"], "--json").stdout)
    assert letter["exportId"] != shown["messageId"]
    assert "exportId" not in shown["attributes"]
    assert dlq("redrive", letter["exportId"]).stdout.splitlines()[-1] == "1 redriven, 0 finished, 0 refused"


def test_the_list_as_json_has_the_same_facts(dlq: Dlq, ports: Ports) -> None:
    export = a_failed_export(ports)
    (letter,) = json.loads(dlq("list", "--json").stdout)
    assert (letter["exportId"], letter["errorCode"]) == (export.export_id, "memberships_contract_broken")


def test_an_empty_queue_leaves_stdout_empty(dlq: Dlq, ports: Ports) -> None:  # noqa: ARG001  (makes the data folder)
    result = dlq("list")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "The dead letter queue is empty.\n")


def test_show_gives_letter_and_record_but_no_mail_address(dlq: Dlq, ports: Ports) -> None:
    export = a_failed_export(ports, reason="No access for alice@example.org.")
    for arguments in (("show", export.export_id), ("show", export.export_id, "--json")):
        result = dlq(*arguments)
        assert result.exit_code == 0
        assert "alice@" not in result.stdout
        assert "a***@example.org" in result.stdout
        assert "stalled_claims" in result.stdout


def test_show_tells_what_happened_to_the_export_in_words(dlq: Dlq, ports: Ports) -> None:
    export = a_failed_export(ports)
    told = replace(export, timeline=(Entry(250, Happened.CLAIMED, "1"),))
    assert ports.store.replace(export, told) is not None
    (shown,) = json.loads(dlq("show", export.export_id, "--json").stdout)
    (entry,) = shown["export"]["timeline"]
    assert (entry["what"], entry["text"]) == ("claimed", "a worker took it (number 1)")


def test_show_and_redrive_of_an_unknown_id_say_where_to_look(dlq: Dlq, ports: Ports) -> None:  # noqa: ARG001
    for command in ("show", "redrive"):
        result = dlq(command, "nope")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "dlq list" in result.stderr


def test_a_letter_cannot_steer_the_terminal(dlq: Dlq, ports: Ports) -> None:
    ports.dead_letters.add(Message("{}", {"reason": "x\u202ey", "errorCode": "invalid_message"}))
    assert "x\\u202ey" in dlq("list").stdout


def test_redrive_puts_the_export_back_and_removes_the_letter(dlq: Dlq, ports: Ports) -> None:
    export = a_failed_export(ports)
    result = dlq("redrive", export.export_id)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "1 redriven, 0 finished, 0 refused"
    stored = ports.store.get(export.export_id)
    assert stored is not None
    assert stored.status in {ExportStatus.QUEUED, ExportStatus.WAITING}
    assert ports.dead_letters.browse(10) == []


def test_a_dry_run_changes_nothing(dlq: Dlq, ports: Ports) -> None:
    export = a_failed_export(ports)
    result = dlq("redrive", "--all", "--dry-run")
    assert "1 redriven" in result.stdout.splitlines()[-1]
    assert "nothing was changed" in result.stdout
    assert ports.store.get(export.export_id) == export
    assert len(ports.dead_letters.browse(10)) == 1


def test_redrive_ends_with_1_when_a_letter_was_refused(dlq: Dlq, ports: Ports) -> None:
    a_failed_export(ports)
    ports.dead_letters.add(Message("not JSON"))
    result = dlq("redrive", "--all")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "1 redriven, 0 finished, 1 refused"


@pytest.mark.parametrize("arguments", [(), ("x", "--all")])
def test_redrive_wants_either_an_id_or_all(dlq: Dlq, arguments: tuple[str, ...]) -> None:
    assert dlq("redrive", *arguments).exit_code == 2


def test_purge_removes_all_letters_without_asking_when_told_so(dlq: Dlq, ports: Ports) -> None:
    ports.dead_letters.add(Message("a"))
    ports.dead_letters.add(Message("b"))
    assert dlq("purge", "--yes").stdout == "2 letters removed.\n"
    assert ports.dead_letters.browse(10) == []


def test_purge_asks_first(dlq: Dlq, ports: Ports) -> None:
    ports.dead_letters.add(Message("a"))
    assert dlq("purge").exit_code == 1  # nobody is there to say yes
    assert len(ports.dead_letters.browse(10)) == 1


def test_where_no_service_has_run_the_answer_names_the_variable(dlq: Dlq, tmp_path: Path) -> None:
    result = dlq("list", MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path / "elsewhere"))
    assert result.exit_code == 2
    assert "MEMBERSHIPS_EXPORT_DATA_DIR" in result.stderr
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.usefixtures("ports")
@pytest.mark.parametrize("package", ["botocore", "obstore"])
def test_without_the_packages_of_aws_it_says_how_to_get_them(
    dlq: Dlq, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    def not_there(_: Settings) -> None:
        raise ModuleNotFoundError(name=package)

    monkeypatch.setattr("memberships_export.bootstrap.backend.operator_desk", not_there)

    result = dlq("list")

    assert result.exit_code == 2
    assert "make install-aws" in result.stderr


@pytest.mark.parametrize("command", [("show",), ("redrive",), ("redrive", "--dry-run")])
def test_the_beginning_of_an_id_is_enough_when_it_fits_one_export(
    dlq: Dlq, ports: Ports, command: tuple[str, ...]
) -> None:
    first, second = a_failed_export(ports), a_failed_export(ports)
    assert first.export_id in dlq(*command, first.export_id[:13]).stdout
    assert second.export_id not in dlq(*command, first.export_id).stdout


def test_a_beginning_that_fits_two_letters_moves_none(dlq: Dlq, ports: Ports) -> None:
    ids = ["abcd0000-0000-4000-8000-000000000000", "abcd1111-0000-4000-8000-000000000000"]
    for number, export_id in enumerate(ids):
        a_failed_export(ports, export_id=export_id, user_id=f"user-{number}")
    result = dlq("redrive", "abcd")
    assert (result.exit_code, result.stdout) == (2, "")
    assert [line.strip() for line in result.stderr.splitlines()[1:]] == ids
    assert len(json.loads(dlq("list", "--json").stdout)) == 2


def test_one_letter_is_purged_and_the_others_stay(dlq: Dlq, ports: Ports) -> None:
    gone, stays = a_failed_export(ports), a_failed_export(ports, user_id="user-2")
    assert dlq("purge", gone.export_id[:8], "--yes").stdout == "1 letter removed.\n"
    assert [letter.message.attributes["exportId"] for letter in ports.dead_letters.browse(10)] == [stays.export_id]
    assert ports.store.get(gone.export_id) == gone


def test_purging_a_letter_that_is_not_there_removes_none(dlq: Dlq, ports: Ports) -> None:
    a_failed_export(ports)
    assert dlq("purge", "ffff", "--yes").exit_code == 1
    assert len(ports.dead_letters.browse(10)) == 1


def test_letters_in_groups_are_counted_by_stage_and_code(dlq: Dlq, ports: Ports) -> None:
    for number in range(3):
        a_failed_export(ports, user_id=f"user-{number}")
    ports.dead_letters.add(Message("x"))
    header, first, second = dlq("list", "--group").stdout.splitlines()
    assert header.split() == ["STAGE", "ERROR", "CODE", "LETTERS", "OLDEST"]
    assert first.split()[:3] == ["fetch", "memberships_contract_broken", "3"]
    assert second.split()[:3] == ["receive", "received_too_often", "1"]
    groups = json.loads(dlq("list", "--group", "--json").stdout)
    assert [group["letters"] for group in groups] == [3, 1]


def test_the_letter_of_a_message_is_found_by_the_id_that_the_log_names(dlq: Dlq, ports: Ports) -> None:
    received = Received(message_id="1111aaaa-0000", message=Message("nonsense"), receipt="r")
    ports.dead_letters.add(invalid_letter(InvalidMessage("It is not JSON."), received, utc_now()))
    (listed,) = json.loads(dlq("list", "--json").stdout)
    (shown,) = json.loads(dlq("show", "1111aaaa", "--json").stdout)
    assert listed["messageId"] == "1111aaaa-0000"
    assert shown["attributes"]["messageId"] == "1111aaaa-0000"
    assert dlq("purge", "1111aaaa", "--yes").stdout == "1 letter removed.\n"
