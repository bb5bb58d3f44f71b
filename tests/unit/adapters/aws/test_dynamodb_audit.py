"""The audit log in DynamoDB: what it costs, what it leaves alone, and what it says when the table does not answer."""

from datetime import timedelta

import pytest

from memberships_export.adapters.aws.dynamodb_audit import DynamoDbAuditLog
from memberships_export.adapters.aws.dynamodb_store import DynamoDbExportStore
from memberships_export.domain.audit import Action, Actor, Audited, AuditQuery, Outcome
from memberships_export.domain.errors import StorageUnavailable
from rig.aws.fake_aws import FakeAws
from tests.factories import an_export, new_entry_id
from tests.fakes.memory import FakeClock

KEPT = timedelta(days=365)


def an_entry(clock: FakeClock) -> Audited:
    clock.advance(timedelta(seconds=1))
    return Audited(id=new_entry_id(clock.now), at=clock.now, actor=Actor.MEMBER, action=Action.FILE_DOWNLOADED)


def test_a_note_is_one_call_and_says_when_it_expires(aws: FakeAws) -> None:
    clock, table = FakeClock(), aws.new_table()
    log, entry = DynamoDbAuditLog(aws.dynamodb, table, clock, KEPT), an_entry(clock)
    start = len(aws.calls)

    log.note(entry)

    assert aws.calls[start:] == ["PutItem"]
    item = aws.dynamodb.get_item(TableName=table, Key={"pk": {"S": f"audit#{entry.id}"}})["Item"]
    assert int(item["expiresAt"]["N"]) == int((entry.at + KEPT).timestamp()) + 1


def test_an_outcome_that_comes_twice_is_no_error(aws: FakeAws) -> None:
    clock = FakeClock()
    log, entry = DynamoDbAuditLog(aws.dynamodb, aws.new_table(), clock, KEPT), an_entry(clock)

    for _ in range(2):
        log.note(entry.ended(Outcome.DONE))

    assert log.read(AuditQuery()).entries == [entry.ended(Outcome.DONE)]


def test_records_and_entries_in_one_table_do_not_see_each_other(aws: FakeAws) -> None:
    clock, table = FakeClock(), aws.new_table()
    log, store = DynamoDbAuditLog(aws.dynamodb, table, clock, KEPT), DynamoDbExportStore(aws.dynamodb, table, clock)
    entry = an_entry(clock)
    log.note(entry)
    month = f"audit{entry.at:%Y-%m}"  # the nearest that the id of a user can come to the partition
    export = store.create(an_export(user_id=month, requested_at=clock.now))

    assert store.get(f"audit#{entry.id}") is None
    assert [one.export_id for one in store.list_for_user(month, 10)] == [export.export_id]
    assert store.due(clock.now + KEPT, 10) == [export]
    assert log.read(AuditQuery()).entries == [entry]


def test_a_table_that_is_not_there_is_named(aws: FakeAws) -> None:
    clock = FakeClock()
    log = DynamoDbAuditLog(aws.dynamodb, "no-such-table", clock, KEPT)

    with pytest.raises(StorageUnavailable, match="DynamoDB table no-such-table"):
        log.note(an_entry(clock))
    with pytest.raises(StorageUnavailable, match="DynamoDB table no-such-table"):
        log.read(AuditQuery())


@pytest.mark.parametrize(
    "field, value",
    [("action", {"S": "moon.landed"}), ("actor", {"N": "1"}), ("at", {"N": "1e100"}), ("at", {"S": "x"})],
)
def test_an_entry_that_cannot_be_read_is_named_and_the_others_are_shown(
    field: str, value: dict[str, str], aws: FakeAws
) -> None:
    clock, table = FakeClock(), aws.new_table()
    log = DynamoDbAuditLog(aws.dynamodb, table, clock, KEPT)
    first, strange, last = (an_entry(clock) for _ in range(3))
    for entry in (first, strange, last):
        log.note(entry)
    aws.dynamodb.update_item(
        TableName=table,
        Key={"pk": {"S": f"audit#{strange.id}"}},
        UpdateExpression="SET #field = :value",
        ExpressionAttributeNames={"#field": field},
        ExpressionAttributeValues={":value": value},  # whatever somebody has put there
    )

    page = log.read(AuditQuery())

    assert (page.entries, page.unreadable) == ([last, first], [strange.id])
