"""`exports`: what operators type, and what they see."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from memberships_export.bootstrap.parts import utc_now
from memberships_export.domain.audit import Action, AuditQuery
from memberships_export.domain.errors import MembershipsUnavailable
from memberships_export.domain.export.held import Holder, claim, wait
from memberships_export.domain.export.lifecycle import next_trouble
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Delivery, Evidence, Export, ExportStatus, Send
from memberships_export.ports import Ports
from memberships_export.service.record import change
from tests.factories import an_export
from tests.unit.cli.conftest import Cli

Exports = Callable[..., Result]


@pytest.fixture
def exports(cli: Cli, tmp_path: Path) -> Exports:
    def run(*arguments: str, **environ: str) -> Result:
        return cli("exports", *arguments, **({"MEMBERSHIPS_EXPORT_DATA_DIR": str(tmp_path)} | environ))

    return run


def stored(ports: Ports, **fields: object) -> Export:
    """An export of a minute ago."""
    now = utc_now()
    usual = {"email": "alice@example.org", "requested_at": now - timedelta(minutes=1), "wake_at": now}
    return ports.store.create(an_export(**usual | fields))


def waiting(ports: Ports, **fields: object) -> Export:
    now, policy = utc_now(), Policy()
    held = change(ports.store, now, stored(ports, **fields), claim, "w1", now, policy)
    trouble = next_trouble(held, MembershipsUnavailable("alice@example.org cannot be asked for."), now)
    return change(ports.store, now, held, wait, Holder(held.token, now, policy), trouble, now + timedelta(minutes=5))


def test_the_list_shows_each_export_its_cause_and_the_counts(exports: Exports, ports: Ports) -> None:
    waits, done = waiting(ports), stored(ports, user_id="user-2", status=ExportStatus.COMPLETED)
    result = exports("list")
    header, *lines, counts = result.stdout.splitlines()
    assert header.split() == ["EXPORT", "ID", "STATUS", "STAGE", "AGE", "ROWS", "CODE", "ADDRESS", "FORMAT"]
    by_id = {line.split()[0]: line.split() for line in lines}
    assert by_id[waits.export_id][1:3] == ["waiting", "fetch"]
    assert by_id[waits.export_id][-3:] == ["memberships_unavailable", "a***@example.org", "csv"]
    assert by_id[done.export_id][1:3] == ["completed", "-"]
    assert re.match(r"1 completed, 1 waiting \(memberships_unavailable\)\. The oldest .* is 1m", counts)


def test_the_list_as_json_has_the_same_facts(exports: Exports, ports: Ports) -> None:
    export = waiting(ports)
    answer = json.loads(exports("list", "--json").stdout)
    (item,) = answer["items"]
    assert (item["exportId"], item["code"], item["email"]) == (
        export.export_id,
        "memberships_unavailable",
        "a***@example.org",
    )
    assert answer["counts"][0]["exports"] == 1
    assert 60 <= answer["oldestUnfinishedSeconds"] < 3600
    assert answer["next"] is None


def test_each_option_narrows_the_list(exports: Exports, ports: Ports) -> None:
    waits = waiting(ports)
    old = stored(
        ports,
        user_id="user-2",
        email="Bob@example.org",
        status=ExportStatus.COMPLETED,
        requested_at=utc_now() - timedelta(days=3),
    )

    def ids(*arguments: str) -> list[str]:
        return [item["exportId"] for item in json.loads(exports("list", "--json", *arguments).stdout)["items"]]

    assert ids() == [waits.export_id, old.export_id]
    assert ids("--user", "user-2") == ids("--email", "bob@EXAMPLE.org") == ids("--status", "completed")
    assert ids("--user", "user-2") == [old.export_id]
    assert ids("--code", "memberships_unavailable") == ids("--since", "24h") == [waits.export_id]
    assert ids("--since", "7d", "--status", "COMPLETED") == [old.export_id]
    assert ids("--since", f"{utc_now() - timedelta(days=1):%Y-%m-%d}") == [waits.export_id]


def test_a_long_list_goes_on_where_it_ended(exports: Exports, ports: Ports) -> None:
    made = {stored(ports, user_id=f"user-{number}").export_id for number in range(5)}
    first = json.loads(exports("list", "--json", "--limit", "3").stdout)
    rest = json.loads(exports("list", "--json", "--limit", "3", "--after", first["next"]).stdout)
    assert {item["exportId"] for item in first["items"] + rest["items"]} == made
    assert rest["next"] is None
    assert f"--after {first['next']}" in exports("list", "--limit", "3").stderr


@pytest.mark.parametrize(
    "arguments, told",
    [
        (("--status", "complete"), "Did you mean completed?"),
        (("--status", ""), "There are: queued"),
        (("--code", "foreign_row"), "Did you mean foreign_rows?"),
        (("--since", "yesterday"), "24h or 7d"),
        (("--since", "999999w"), "no moment"),
        (("--since", "2026-13-01"), "no moment"),
        (("--since", "-3d"), "no moment"),
        (("--email", "nobody"), "not one plain address"),
        (("--after", "x"), "no place"),
        (("--after", "2026-03-01/x"), "no place"),
        (("--limit", "0"), "--limit"),
        (("--limit", "1001"), "--limit"),
        (("--status", "alice@example.org"), "a***@example.org"),
        (("--since", "alice@example.org"), "a***@example.org"),
    ],
)
def test_what_was_mistyped_is_told_with_what_was_perhaps_meant(
    exports: Exports,
    ports: Ports,  # noqa: ARG001  (makes the data folder)
    arguments: tuple[str, ...],
    told: str,
) -> None:
    for more in ((), ("--json",)):
        result = exports("list", *arguments, *more)
        assert result.exit_code == 2
        assert told in re.sub(r"[│\s]+", " ", result.output)
        assert "alice@" not in result.output


def test_an_address_is_masked_wherever_it_could_be_seen(exports: Exports, ports: Ports) -> None:
    export = waiting(ports, user_id="alice@example.org", earlier_emails=("alice@old.example.org",))
    for arguments in (("list",), ("show", export.export_id), ("list", "--user", "alice@example.org")):
        for more in ((), ("--json",)):
            result = exports(*arguments, *more)
            assert result.exit_code == 0
            assert "a***@example.org" in result.stdout
            assert "alice@" not in result.output
    for command in ("show", "cancel", "resend", "retry"):
        for more in ((), ("--json",)):
            result = exports(command, "alice@example.org", *more)
            assert result.exit_code == 1
            assert "alice@" not in result.output


def test_an_address_is_shown_to_who_says_so_and_the_audit_log_knows(exports: Exports, ports: Ports) -> None:
    export = waiting(ports)
    for arguments in (("list", "--reveal"), ("show", export.export_id, "--reveal", "--json")):
        assert "alice@example.org" in exports(*arguments).stdout
    entries = ports.audit.read(AuditQuery()).entries
    assert [(entry.action, entry.export_id) for entry in entries] == [(Action.ADDRESS_REVEALED, export.export_id)] * 2
    assert all(entry.who for entry in entries)


def test_show_tells_what_happened_when_and_why_it_waits(exports: Exports, ports: Ports) -> None:
    export = waiting(ports)
    lines = exports("show", export.export_id[:8]).stdout.splitlines()
    assert any(line.startswith("because of:  memberships_unavailable: a***@example.org cannot") for line in lines)
    assert [line.split("  ")[1] for line in lines[lines.index("") + 1 :]] == [
        "requested",
        "a worker took it (number 1)",
        "it waits: memberships_unavailable",
    ]
    shown = json.loads(exports("show", export.export_id, "--json").stdout)
    assert [entry["what"] for entry in shown["timeline"]] == ["claimed", "waiting"]
    assert shown["timeline"][1]["text"] == "it waits: memberships_unavailable"


def test_a_beginning_that_fits_two_exports_is_told_with_both(exports: Exports, ports: Ports) -> None:
    for number in (1, 2):
        stored(ports, user_id=f"user-{number}", export_id=f"abcd0000-0000-4000-8000-00000000000{number}")
    result = exports("show", "ABCD")
    assert result.exit_code == 2
    assert "2 ids begin with" in result.stderr
    assert exports("show", "abc").exit_code == 2
    assert exports("show", "ffff").exit_code == 1


def test_cancel_and_retry_are_done_and_noted(exports: Exports, ports: Ports) -> None:
    first, second = waiting(ports), waiting(ports, user_id="user-2")
    assert exports("retry", first.export_id).stdout == f"{first.export_id}  queued\n"
    assert exports("retry", "--code", "memberships_unavailable", "--all").stdout == f"{second.export_id}  queued\n"
    (cancelled,) = json.loads(exports("cancel", first.export_id, "--json").stdout)
    assert cancelled["status"] == "cancelled"
    actions = [entry.action for entry in ports.audit.read(AuditQuery()).entries]
    assert actions == [Action.EXPORT_CANCELLED, Action.EXPORT_RETRIED, Action.EXPORT_RETRIED]


def test_what_is_not_possible_says_why(exports: Exports, ports: Ports) -> None:
    export = stored(ports, status=ExportStatus.COMPLETED)
    for command, why in (("cancel", "is completed"), ("resend", "no stored file"), ("retry", "exports resend")):
        result = exports(command, export.export_id)
        assert (result.exit_code, result.stdout) == (1, "")
        assert why in result.stderr


@pytest.mark.parametrize(
    "arguments", [(), ("abcd", "--all"), ("--all",), ("--code", "foreign_rows"), ("abcd", "--code", "foreign_rows")]
)
def test_retry_wants_one_or_all_of_a_code(exports: Exports, ports: Ports, arguments: tuple[str, ...]) -> None:  # noqa: ARG001
    assert exports("retry", *arguments).exit_code == 2


def test_where_nothing_fits_the_list_says_so(exports: Exports, ports: Ports) -> None:  # noqa: ARG001
    assert exports("list").stdout == "No exports. All of them are finished.\n"
    assert json.loads(exports("list", "--json").stdout)["items"] == []


@pytest.mark.parametrize("version, told", [(99, "newer version"), (6, "older version")])
def test_a_service_of_another_version_is_left_alone(exports: Exports, tmp_path: Path, version: int, told: str) -> None:
    with closing(sqlite3.connect(tmp_path / "exports.db")) as other:
        other.execute(f"PRAGMA user_version = {version}")
    for command in (("list",), ("show", "abcdef"), ("retry", "abcdef")):
        for more in ((), ("--json",)):
            result = exports(*command, *more)
            assert result.exit_code == 1
            assert told in result.stderr
    with closing(sqlite3.connect(tmp_path / "exports.db")) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (version,)


def test_an_export_cannot_steer_the_terminal(exports: Exports, ports: Ports) -> None:
    export = stored(ports, user_id="x\u202ey")
    assert "\u202e" not in exports("show", export.export_id).stdout
    assert replace(export, revision="") != export


def test_columns_stand_below_their_names_also_with_masked_addresses(exports: Exports, ports: Ports) -> None:
    stored(ports, email="somebody.with.a.long.name@example.org")
    header, line, *_ = exports("list").stdout.splitlines()
    assert line.index("s***@example.org") == header.index("ADDRESS")
    assert line.index("csv") == header.index("FORMAT")


def test_why_a_mail_came_back_is_shown(exports: Exports, ports: Ports) -> None:
    sent = Send(
        number=1,
        mailing=1,
        started_at=utc_now(),
        evidence=Evidence.ACCEPTED,
        delivery=Delivery.BOUNCED,
        detail="550 5.1.1 <alice@example.org> is unknown",
    )
    export = stored(ports, status=ExportStatus.COMPLETED, sends=(sent,))
    assert "delivery:    bounced: 550 5.1.1 <a***@example.org> is unknown" in exports("show", export.export_id).stdout
