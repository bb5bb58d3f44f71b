"""`audit`, over the data of a service that has run here."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from memberships_export.bootstrap.backend import connect
from memberships_export.bootstrap.parts import utc_now
from memberships_export.domain.audit import Action, Actor, Audited, AuditQuery, Channel, Origin, Outcome
from memberships_export.ports import Ports
from memberships_export.service.auditing import audit_of
from memberships_export.settings import Settings
from tests.factories import an_export, new_entry_id
from tests.unit.cli.conftest import Cli

Run = Callable[..., Result]
MEMBER = Origin(actor=Actor.MEMBER, who="user-1", channel=Channel.API, ip="192.0.2.0/24", request_id="r-1")


@pytest.fixture
def ports(tmp_path: Path) -> Ports:
    opened = connect(Settings(data_dir=tmp_path), None)
    opened.store.check()
    return opened


@pytest.fixture
def run(cli: Cli, tmp_path: Path) -> Run:
    def command(*arguments: str) -> Result:
        return cli(*arguments, MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path))

    return command


def note(ports: Ports, action: Action, export_id: str, user_id: str = "user-1") -> None:
    audit_of(ports).note(MEMBER, action, export_id=export_id, user_id=user_id)


def exports_in(result: Result) -> list[str]:
    return [entry["exportId"] for entry in json.loads(result.stdout)["entries"] if entry["action"] != "audit.read"]


def test_it_shows_who_did_what_from_where_and_that_somebody_looked(run: Run, ports: Ports) -> None:
    note(ports, Action.FILE_DOWNLOADED, "export-1")

    header, look, entry = run("audit").stdout.splitlines()

    assert header.split() == "AT (UTC) ACTOR WHO ACTION EXPORT ID OUTCOME FROM REQUEST ID".split()  # noqa: SIM905
    known = audit_of(ports).pseudonym("user-1")[:12]
    assert " ".join(entry.split()[2:]) == f"member {known} file.downloaded export-1 done api 192.0.2.0/24 r-1"
    assert look.split()[2] == "operator"
    assert "audit.read" in look


def test_the_json_has_every_field(run: Run, ports: Ports) -> None:
    note(ports, Action.LINK_OPENED, "export-1")

    answer = json.loads(run("audit", "--json").stdout)

    known = audit_of(ports).pseudonym("user-1")
    entry = answer["entries"][1]
    assert (entry.pop("id"), entry.pop("at")) > ("", "")
    assert answer["before"] is None
    assert entry == {
        "actor": "member",
        "who": known,
        "about": known,
        "action": "link.opened",
        "exportId": "export-1",
        "outcome": "done",
        "detail": "",
        "channel": "api",
        "ip": "192.0.2.0/24",
        "requestId": "r-1",
    }


def test_entries_are_chosen_by_export_action_and_member(run: Run, ports: Ports) -> None:
    note(ports, Action.FILE_DOWNLOADED, "export-1")
    note(ports, Action.EXPORT_CANCELLED, "export-2", "user-2")

    assert exports_in(run("audit", "--json", "--export", "export-1")) == ["export-1"]
    assert exports_in(run("audit", "--json", "--action", "export.cancelled")) == ["export-2"]
    assert exports_in(run("audit", "--json", "--user", "user-2")) == ["export-2"]
    assert exports_in(run("audit", "--json", "--user", "user-1")) == ["export-2", "export-1"]
    assert exports_in(run("audit", "--json", "--user", "nobody")) == []


def test_of_an_export_that_is_there_the_beginning_of_its_id_is_enough(run: Run, ports: Ports) -> None:
    export = ports.store.create(an_export(export_id="5f6c0d3a-0000-4000-8000-000000000001"))
    ports.store.create(an_export(export_id="5f6c0d3a-0000-4000-8000-000000000002", user_id="user-2"))
    note(ports, Action.FILE_DOWNLOADED, export.export_id)

    assert exports_in(run("audit", "--json", "--export", export.export_id.upper())) == [export.export_id]
    assert run("audit", "--export", "5f6c0d3a").exit_code == 2
    ports.store.delete(ports.store.list_for_user("user-2", 1)[0])
    assert exports_in(run("audit", "--json", "--export", "5F6C")) == [export.export_id]


@pytest.mark.parametrize("typed", ["5f6c0d3a", "x", "nonsense"])
def test_an_id_that_is_not_whole_and_fits_no_export_is_told(run: Run, ports: Ports, typed: str) -> None:
    note(ports, Action.FILE_DOWNLOADED, "5f6c0d3a-0000-4000-8000-000000000001")

    result = run("audit", "--export", typed)

    assert f"No export that is there has an id that begins with {typed}" in result.stderr


@pytest.mark.parametrize(
    "since, found", [("30m", 1), ("24h", 2), ("7d", 3), ("2020-01-01", 3), ("2020-01-01T00:00Z", 3)]
)
def test_since_takes_how_long_ago_or_a_date(run: Run, ports: Ports, since: str, found: int) -> None:
    for ago in (timedelta(minutes=1), timedelta(hours=2), timedelta(days=2)):
        at = utc_now() - ago
        action = Action.FILE_DOWNLOADED
        ports.audit.note(Audited(id=new_entry_id(at), at=at, actor=Actor.MEMBER, action=action, outcome=Outcome.DONE))

    assert len(exports_in(run("audit", "--json", "--since", since))) == found


@pytest.mark.usefixtures("ports")
@pytest.mark.parametrize(
    "arguments",
    [
        ("--since", "yesterday"),
        ("--since", "h"),
        ("--since", "٣h"),
        ("--since", "99999999999999d"),
        ("--before", "x"),
        ("--before", "' OR 1=1 --"),
        ("--action", "everything"),
        ("--limit", "0"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(run: Run, arguments: tuple[str, str]) -> None:
    assert run("audit", *arguments).exit_code == 2


def test_a_longer_answer_says_how_to_go_on(run: Run, ports: Ports) -> None:
    for number in range(3):
        note(ports, Action.FILE_DOWNLOADED, f"export-{number}")

    first = run("audit", "--json", "--limit", "3")
    rest = run("audit", "--json", "--before", json.loads(first.stdout)["before"])

    assert exports_in(first) + exports_in(rest) == ["export-2", "export-1", "export-0"]
    assert "--before" in run("audit", "--limit", "2").stderr


def test_an_address_that_was_typed_in_place_of_an_id_is_not_noted(run: Run, ports: Ports) -> None:
    run("audit", "--export", "anna@example.org", "--user", "anna@example.org")

    (entry,) = ports.audit.read(AuditQuery()).entries
    assert "anna" not in repr(entry)


def test_a_purge_and_a_redrive_say_who_gave_the_command(run: Run, ports: Ports) -> None:
    run("dlq", "purge", "--yes")
    run("dlq", "redrive", "--all", "--dry-run")

    (entry,) = ports.audit.read(AuditQuery()).entries
    assert (entry.action, entry.actor, entry.channel) == (Action.DLQ_PURGED, Actor.OPERATOR, Channel.CLI)
    assert entry.who


def test_without_data_here_it_says_where_to_look(cli: Cli, tmp_path: Path) -> None:
    result = cli("audit", "--json", MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path / "nowhere"))

    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == "usage"
