import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from memberships_export.bootstrap.backend import connect
from memberships_export.bootstrap.parts import utc_now
from memberships_export.domain.audit import Action, Actor, AuditQuery, Outcome
from memberships_export.domain.messages.wake import wake_message
from memberships_export.ports import Ports
from memberships_export.settings import Settings
from tests.factories import an_export
from tests.unit.cli.conftest import Cli

Erase = Callable[..., Result]


@pytest.fixture
def ports(tmp_path: Path) -> Ports:
    """The store and queues of a service that has run here, with an export of alice and one of bob."""
    opened = connect(Settings(data_dir=tmp_path), "http://127.0.0.1")
    for user in ("alice", "bob"):
        now = utc_now()
        export = opened.store.create(
            an_export(user_id=user, email=f"{user}@example.org", requested_at=now, wake_at=now)
        )
        opened.queue.send(wake_message(export))
        opened.dead_letters.add(wake_message(export))
    return opened


@pytest.fixture
def erase(cli: Cli, tmp_path: Path) -> Erase:
    def run(*arguments: str) -> Result:
        return cli("erase", *arguments, MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path))

    return run


def ids_of(ports: Ports, user: str) -> list[str]:
    return list(ports.store.ids_of_user(user))


def test_a_user_is_erased_and_a_receipt_tells_what_and_what_not(erase: Erase, ports: Ports) -> None:
    (export_id,) = ids_of(ports, "alice")
    result = erase("--user", "alice", "--yes")
    assert result.exit_code == 0
    assert export_id in result.stdout
    assert "1 export, 0 rows, 0 mails in the outbox, 1 message, 1 dead letter." in result.stdout
    assert "Backups made before" in result.stdout
    assert "alice" not in result.stdout, "a receipt can be filed: it names no person"
    assert ids_of(ports, "alice") == []
    assert len(ids_of(ports, "bob")) == 1
    assert len(ports.dead_letters.browse(10)) == 1


def test_a_dry_run_changes_nothing(erase: Erase, ports: Ports) -> None:
    result = erase("--user", "alice", "--dry-run")
    assert "1 export, 0 rows (dry run: nothing was erased)" in result.stdout
    assert len(ids_of(ports, "alice")) == 1
    assert not list(ports.erasures.all())
    assert not ports.audit.read(AuditQuery()).entries


def test_who_is_not_sure_erases_nothing(erase: Erase, ports: Ports) -> None:
    result = erase("--user", "alice")
    assert result.exit_code == 1
    assert "Erase this user with 1 export for good?" in result.stderr
    assert len(ids_of(ports, "alice")) == 1


def test_the_receipt_as_json_is_one_value(erase: Erase, ports: Ports) -> None:
    (export_id,) = ids_of(ports, "alice")
    receipt = json.loads(erase("--user", "alice", "--yes", "--json").stdout)
    assert [one["exportId"] for one in receipt["exports"]] == [export_id]
    assert (receipt["messages"], receipt["deadLetters"], receipt["dryRun"]) == (1, 1, False)
    assert receipt["owner"] == receipt["exports"][0]["owner"]
    assert all(one["what"] and one["until"] for one in receipt["remains"])


def test_erasing_twice_is_harmless(erase: Erase, ports: Ports) -> None:
    erase("--user", "alice", "--yes")
    result = erase("--user", "alice", "--yes")
    assert result.exit_code == 0
    assert "0 exports" in result.stdout
    assert len(ids_of(ports, "bob")) == 1


def test_after_a_restore_the_list_of_before_is_erased_again(erase: Erase, ports: Ports, tmp_path: Path) -> None:
    (export_id,) = ids_of(ports, "alice")
    export = ports.store.get(export_id)
    assert export is not None
    erase("--user", "alice", "--yes")
    listed = tmp_path / "erased.json"
    listed.write_text(erase("--list", "--json").stdout)
    for again in (["--again"], ["--again", "--from", str(listed)]):
        ports.store.create(export)
        result = erase(*again)
        assert result.exit_code == 0, result.output
        assert export_id in result.stdout
        assert ids_of(ports, "alice") == []


def test_the_list_is_a_table_for_people(erase: Erase, ports: Ports) -> None:
    assert "Nothing was erased yet." in erase("--list").stderr
    (export_id,) = ids_of(ports, "alice")
    erase("--user", "alice", "--yes")
    header, line = erase("--list").stdout.splitlines()
    assert header.split("  ")[0] == "EXPORT ID"
    assert line.startswith(export_id)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--user", "alice", "--again"),
        ("--list", "--again"),
        ("--user", "alice", "--from", "x"),
        ("--again", "--dry-run"),
        ("--user", "a\nb", "--yes"),
        ("--user", "x" * 300, "--dry-run"),
    ],
)
@pytest.mark.usefixtures("ports")
def test_what_is_not_clear_erases_nothing(erase: Erase, arguments: tuple[str, ...]) -> None:
    assert erase(*arguments).exit_code == 2


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'[{"exportId": "e-1"}]', b'[{"nonsense": 1}]', b"\xff"])
@pytest.mark.usefixtures("ports")
def test_a_list_that_is_none_is_told(erase: Erase, tmp_path: Path, content: bytes) -> None:
    listed = tmp_path / "erased.json"
    listed.write_bytes(content)
    result = erase("--again", "--from", str(listed))
    assert result.exit_code == 2
    assert "erased.json is no list" in result.stderr
    assert erase("--again", "--from", str(tmp_path / "none")).exit_code == 2


def test_it_is_noted_who_erased_and_how_many(erase: Erase, ports: Ports) -> None:
    erase("--user", "alice", "--yes")
    (entry,) = ports.audit.read(AuditQuery()).entries
    assert (entry.action, entry.actor, entry.outcome) == (Action.DATA_ERASED, Actor.OPERATOR, Outcome.DONE)
    assert entry.detail == "exports=1"
    assert entry.who
    assert entry.about
