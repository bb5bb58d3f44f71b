"""The audit log in the database of one machine: what it costs, and what is not in it."""

import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.sqlite_audit import SqliteAuditLog
from memberships_export.domain.audit import Action, Actor, Audited, AuditQuery, Channel, Origin, Outcome
from memberships_export.service.assembly import Services
from tests.factories import new_entry_id
from tests.fakes.memory import NOON
from tests.fakes.world import LINKS, World

SECRETS = ("canary", "member@example.org", "user-1", "exports.example.org")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "exports.db"


@pytest.fixture
def database(path: Path) -> Database:
    return Database(path)


class CountingLog(SqliteAuditLog):
    """Counts how often it writes."""

    notes = 0

    def note(self, entry: Audited) -> None:
        self.notes += 1
        super().note(entry)


def everything_that_is_noted(world: World, services: Services, log: CountingLog) -> None:
    """A member cancels, resends and downloads, an operator purges; each with canaries in whatever they send."""
    by = Origin(
        actor=Actor.MEMBER, who="user-1", channel=Channel.API, ip="192.0.2.0/24", request_id="canary@example.org"
    )
    done = world.request()
    world.work()
    token = LINKS.url(world.export(done)).rsplit("/", 1)[1]
    services.read.file(done.export_id, "user-1", by)
    services.read.file_by_link(done.export_id, token, replace(by, who=""))
    services.resend(done.export_id, "user-1", "canary@example.org", by)
    services.cancel(done.export_id, "user-1", by)
    services.redrive.purge(replace(by, actor=Actor.OPERATOR, who="jo"))
    services.read_audit(AuditQuery(export_id="canary @"), replace(by, actor=Actor.OPERATOR, who="jo"), "user-1")
    assert log.notes == 2 + 2 * 3 + 1, "one for a download or a look, two for anything else"
    assert token not in repr(log.read(AuditQuery()))


def test_nothing_of_a_member_is_in_the_file_of_the_log(path: Path, database: Database) -> None:
    world, log = World(), CountingLog(database)
    services = world.over(replace(world.ports, audit=log))

    everything_that_is_noted(world, services, log)
    database.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()

    content = b"".join(one.read_bytes() for one in path.parent.iterdir() if one.name.startswith("exports.db"))
    assert b"file.downloaded" in content
    assert [secret for secret in SECRETS if secret.encode() in content] == []


def test_an_export_from_request_to_mail_writes_nothing_to_the_log(database: Database) -> None:
    world, log = World(), CountingLog(database)
    services = world.over(replace(world.ports, audit=log))

    world.request()
    assert world.work_once(services)
    services.sweep()

    assert len(world.mails) == 1
    assert log.notes == 0


def an_entry(at: timedelta) -> Audited:
    moment = NOON + at
    return Audited(id=new_entry_id(moment), at=moment, actor=Actor.OPERATOR, action=Action.DLQ_PURGED)


def test_old_entries_go_in_bounded_batches_and_none_is_looked_for_by_writing(database: Database) -> None:
    log = SqliteAuditLog(database)
    log.note(an_entry(timedelta(days=2)))
    changes = database.read("PRAGMA data_version")
    assert log.forget_before(NOON) == 0
    assert database.read("PRAGMA data_version") == changes
    with database.transaction() as connection:
        connection.executemany(
            "INSERT INTO audit SELECT ?, at, actor, who, about, action, export_id, outcome, detail, channel, ip, "
            "request_id FROM audit LIMIT 1",
            [(new_entry_id(NOON - timedelta(seconds=number)),) for number in range(1, 1501)],
        )

    assert [log.forget_before(NOON) for _ in range(3)] == [1000, 500, 0]
    assert len(log.read(AuditQuery(limit=10)).entries) == 1


@pytest.mark.parametrize("column, value", [("at", 1e300), ("at", "never"), ("action", "moon.landed")])
def test_an_entry_that_cannot_be_read_is_named_and_the_others_are_shown(
    column: str, value: object, database: Database
) -> None:
    log = SqliteAuditLog(database)
    ids = [new_entry_id(NOON + timedelta(seconds=second)) for second in range(3)]
    for entry_id in ids:
        log.note(Audited(id=entry_id, at=NOON, actor=Actor.SYSTEM, action=Action.AUDIT_READ, outcome=Outcome.DONE))
    with database.transaction() as connection:
        connection.execute(f"UPDATE audit SET {column} = ? WHERE id = ?", [value, ids[1]])  # noqa: S608  (of this test)

    page = log.read(AuditQuery())

    assert ([entry.id for entry in page.entries], page.unreadable) == ([ids[2], ids[0]], [ids[1]])
