from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from memberships_export.adapters.aws.dynamodb_item import GUARD_IS_FREE, WAKE_PARTITIONS, guard_key, wake_partition
from memberships_export.adapters.aws.dynamodb_store import DynamoDbExportStore
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.export.finding import address_key
from memberships_export.domain.export.record import Evidence, Export, ExportStatus, Failure, Send, Stage
from rig.aws.fake_aws import FakeAws
from tests.factories import REQUESTED_AT, an_export
from tests.fakes.memory import FakeClock
from tests.unit.adapters.aws.conftest import ScriptedDynamoDb

CONFLICT: Any = {
    "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
    "CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}],
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def table(aws: FakeAws) -> str:
    return aws.new_table()


@pytest.fixture
def store(aws: FakeAws, table: str, clock: FakeClock) -> DynamoDbExportStore:
    return DynamoDbExportStore(aws.dynamodb, table, clock)


class Wrapped:
    """A client of which some calls are replaced."""

    def __init__(self, client: object, **calls: Callable[..., Any]) -> None:
        self._client = client
        self._calls = calls

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (any call of the client)
        return self._calls.get(name) or getattr(self._client, name)


def store_over(table: str, clock: FakeClock, client: object, **calls: Callable[..., Any]) -> DynamoDbExportStore:
    return DynamoDbExportStore(cast("Any", Wrapped(client, **calls)), table, clock)


def twice(call: Callable[..., Any]) -> Callable[..., Any]:
    """Lose the first answer: what the client's retry then gets is the answer to its own first write."""

    def called(**arguments: Any) -> Any:  # noqa: ANN401  (any call of the client)
        call(**{name: value for name, value in arguments.items() if name != "ClientRequestToken"})
        return call(**arguments)

    return called


def refusing_first(times: int, response: Mapping[str, Any], call: Callable[..., Any]) -> Callable[..., Any]:
    left = [response] * times

    def called(**arguments: Any) -> Any:  # noqa: ANN401  (any call of the client)
        if left:
            raise ClientError(cast("Any", left.pop()), "Write")
        return call(**arguments)

    return called


def failed(export: Export, clock: FakeClock, keep: timedelta) -> Export:
    failure = Failure(stage=Stage.FETCH, code="no_progress", reason="It did not get further.", at=clock())
    return replace(export, status=ExportStatus.FAILED, failure=failure, expires_at=clock() + keep)


def items(aws: FakeAws, table: str) -> dict[str, Any]:
    return {item["pk"]["S"]: item for item in aws.dynamodb.scan(TableName=table)["Items"]}


# --- on the wire -----------------------------------------------------------------------------------------------------


def test_a_record_and_its_guard_are_two_items(aws: FakeAws, table: str, store: DynamoDbExportStore) -> None:
    export = store.create(an_export(user_id="user#1"))

    found = items(aws, table)

    guard = guard_key(export)["pk"]["S"]
    assert set(found) == {export.export_id, guard}
    assert "user#1" not in guard
    assert found[guard] == {"pk": {"S": guard}, "exportId": {"S": export.export_id}}
    record = found[export.export_id]
    assert record["userId"] == {"S": "user#1"}
    assert record["requestedAt"] == {"S": "2026-03-01T12:00:00.000000Z"}
    assert record["wakePartition"] == {"S": wake_partition(export.export_id)}
    assert record["wakeAt"] == {"N": "1772366430"}
    assert record["revision"] == {"S": export.revision}
    assert "expiresAt" not in record


def test_records_are_spread_over_all_partitions_of_the_index_and_read_as_one(
    store: DynamoDbExportStore, clock: FakeClock
) -> None:
    ids = [f"export-{number}" for number in range(40)]
    for number, export_id in enumerate(ids):
        wake_at = clock() - timedelta(seconds=number)
        store.create(an_export(export_id=export_id, user_id=export_id, wake_at=wake_at))

    assert {wake_partition(export_id) for export_id in ids} == set(WAKE_PARTITIONS)
    assert [export.export_id for export in store.due(clock(), 100)] == ids[::-1]
    assert [export.export_id for export in store.due(clock(), 3)] == ids[:-4:-1]


def test_a_record_that_a_newer_version_wrote_does_not_keep_the_others_from_being_seen(
    aws: FakeAws, table: str, store: DynamoDbExportStore, clock: FakeClock
) -> None:
    strange, plain = (
        store.create(an_export(export_id=name, user_id=name, status=ExportStatus.WAITING, wake_at=clock()))
        for name in ("new", "old")
    )
    item = items(aws, table)[strange.export_id]
    item["document"] = {"S": item["document"]["S"].replace('"waiting"', '"archived"')}
    aws.dynamodb.put_item(TableName=table, Item=item)

    assert [export.export_id for export in store.due(clock(), 10)] == [plain.export_id]


def test_a_finished_record_expires_wakes_at_no_time_and_has_no_guard(
    aws: FakeAws, table: str, store: DynamoDbExportStore, clock: FakeClock
) -> None:
    export = store.create(an_export())
    store.replace(export, replace(failed(export, clock, timedelta(seconds=1.5)), wake_at=None))

    [record] = items(aws, table).values()

    assert record["expiresAt"] == {"N": "1772366402"}
    assert not {"wakePartition", "wakeAt"} & set(record)


def test_a_record_too_large_for_dynamodb_is_refused_by_name(store: DynamoDbExportStore) -> None:
    with pytest.raises(ValueError, match=r"record of export big has 4\d{5} bytes; DynamoDB takes 409600"):
        store.create(an_export(export_id="big", email="x" * 409_600))


# --- answers that got lost -------------------------------------------------------------------------------------------


def test_a_write_whose_answer_was_lost_counts_as_written(
    aws: FakeAws, table: str, store: DynamoDbExportStore, clock: FakeClock
) -> None:
    export = store.create(an_export())
    losing = store_over(table, clock, aws.dynamodb, put_item=twice(aws.dynamodb.put_item))

    written = losing.replace(export, replace(export, nudges=1))

    assert written is not None
    assert store.get(export.export_id) == written


def test_a_new_record_whose_answer_was_lost_is_the_new_record(
    aws: FakeAws, table: str, store: DynamoDbExportStore, clock: FakeClock
) -> None:
    losing = store_over(table, clock, aws.dynamodb, transact_write_items=twice(aws.dynamodb.transact_write_items))

    created = losing.create(an_export())

    assert store.get(created.export_id) == created


def test_finishing_whose_answer_was_lost_is_finished(
    aws: FakeAws, table: str, store: DynamoDbExportStore, clock: FakeClock
) -> None:
    export = store.create(an_export())
    losing = store_over(table, clock, aws.dynamodb, transact_write_items=twice(aws.dynamodb.transact_write_items))

    finished = losing.replace(export, failed(export, clock, timedelta(days=1)))

    assert finished is not None
    assert store.get(export.export_id) == finished


def test_a_lost_answer_does_not_hide_that_another_writer_came_after(
    aws: FakeAws, table: str, store: DynamoDbExportStore, clock: FakeClock
) -> None:
    export = store.create(an_export())

    def overtaken(**arguments: Any) -> Any:  # noqa: ANN401  (any call of the client)
        aws.dynamodb.put_item(**arguments)
        current = store.get(export.export_id)
        assert current is not None
        store.replace(current, replace(current, nudges=7))
        return aws.dynamodb.put_item(**arguments)

    losing = store_over(table, clock, aws.dynamodb, put_item=overtaken)

    assert losing.replace(export, replace(export, nudges=1)) is None


# --- expiry ----------------------------------------------------------------------------------------------------------


def test_an_expired_record_is_gone_before_dynamodb_deletes_it_but_still_due(
    store: DynamoDbExportStore, clock: FakeClock
) -> None:
    export = store.create(failed(an_export(wake_at=clock()), clock, timedelta(days=30)))
    clock.advance(timedelta(days=30) - timedelta(seconds=1))
    assert store.get(export.export_id) == export
    assert store.list_for_user(export.user_id, 10) == [export]

    clock.advance(timedelta(seconds=1))

    assert store.get(export.export_id) is None
    assert store.list_for_user(export.user_id, 10) == []
    assert store.due(clock(), 10) == [export]


def test_an_expired_record_does_not_keep_its_id_taken(store: DynamoDbExportStore, clock: FakeClock) -> None:
    old = store.create(failed(an_export(), clock, timedelta(days=30)))
    clock.advance(timedelta(days=31))

    new = store.create(an_export(export_id=old.export_id))

    assert new.status is ExportStatus.QUEUED
    assert store.get(old.export_id) == new


# --- guards ----------------------------------------------------------------------------------------------------------


def test_a_guard_whose_export_is_gone_blocks_nobody(aws: FakeAws, table: str, store: DynamoDbExportStore) -> None:
    lost = store.create(an_export())
    aws.dynamodb.delete_item(TableName=table, Key={"pk": {"S": lost.export_id}})

    new = store.create(an_export())

    assert store.get(new.export_id) == new
    assert store.create(an_export()) == new


def test_an_export_whose_guard_is_anothers_can_still_finish_and_be_deleted(
    aws: FakeAws, table: str, store: DynamoDbExportStore, clock: FakeClock
) -> None:
    export = store.create(an_export())
    guard: dict[str, Any] = {**guard_key(export), "exportId": {"S": "another"}}
    aws.dynamodb.put_item(TableName=table, Item=guard)

    finished = store.replace(export, failed(export, clock, timedelta(days=1)))

    assert finished is not None
    assert items(aws, table)[guard["pk"]["S"]] == guard
    store.delete(replace(finished, status=ExportStatus.QUEUED))
    assert store.get(export.export_id) is None


def test_the_key_of_a_guard_is_not_the_id_of_an_export(store: DynamoDbExportStore) -> None:
    export = store.create(an_export())

    assert store.get(guard_key(export)["pk"]["S"]) is None


@pytest.mark.parametrize("export_id", ["", "a" * 2049, "ü" * 1025])
def test_an_id_that_dynamodb_cannot_hold_is_of_no_export(store: DynamoDbExportStore, export_id: str) -> None:
    assert store.get(export_id) is None


# --- trouble ---------------------------------------------------------------------------------------------------------


def test_a_conflict_with_another_transaction_is_tried_again(
    aws: FakeAws, table: str, store: DynamoDbExportStore, clock: FakeClock
) -> None:
    busy = refusing_first(4, CONFLICT, aws.dynamodb.transact_write_items)

    created = store_over(table, clock, aws.dynamodb, transact_write_items=busy).create(an_export())

    assert store.get(created.export_id) == created


def test_a_conflict_that_lasts_is_trouble_that_passes(aws: FakeAws, table: str, clock: FakeClock) -> None:
    busy = refusing_first(5, CONFLICT, aws.dynamodb.transact_write_items)

    with pytest.raises(StorageUnavailable, match="DynamoDB table exports-"):
        store_over(table, clock, aws.dynamodb, transact_write_items=busy).create(an_export())


def test_reads_that_dynamodb_left_undone_are_asked_for_again(
    aws: FakeAws, table: str, store: DynamoDbExportStore, clock: FakeClock
) -> None:
    export = store.create(an_export())
    undone = [True]

    def half(**arguments: Any) -> Any:  # noqa: ANN401  (any call of the client)
        if undone.pop() if undone else False:
            return {"Responses": {}, "UnprocessedKeys": arguments["RequestItems"]}
        return aws.dynamodb.batch_get_item(**arguments)

    reading = store_over(table, clock, aws.dynamodb, batch_get_item=half)

    assert reading.list_for_user(export.user_id, 10) == [export]


def test_reads_that_stay_undone_are_trouble(aws: FakeAws, table: str, store: DynamoDbExportStore) -> None:
    export = store.create(an_export())

    def never(**arguments: Any) -> Any:  # noqa: ANN401  (any call of the client)
        return {"Responses": {}, "UnprocessedKeys": arguments["RequestItems"]}

    with pytest.raises(StorageUnavailable, match="throttling"):
        store_over(table, FakeClock(), aws.dynamodb, batch_get_item=never).list_for_user(export.user_id, 10)


@pytest.mark.parametrize(
    "code, status, advice",
    [
        ("ProvisionedThroughputExceededException", 400, "throttling"),
        ("ThrottlingException", 400, "throttling"),
        ("InternalServerError", 500, "Health Dashboard"),
        ("ResourceNotFoundException", 400, "configuration"),
        ("AccessDeniedException", 400, "configuration"),
        ("UnrecognizedClientException", 400, "configuration"),
    ],
)
def test_trouble_names_the_table_the_action_and_the_fix(
    dynamodb: ScriptedDynamoDb, clock: FakeClock, code: str, status: int, advice: str
) -> None:
    dynamodb.add_client_error("get_item", code, http_status_code=status)

    with pytest.raises(StorageUnavailable, match=r"DynamoDB table exports refused GetItem with") as caught:
        DynamoDbExportStore(dynamodb.client, "exports", clock).get("id")

    assert advice in caught.value.reason


def test_a_request_that_dynamodb_calls_wrong_is_a_bug_and_no_trouble_that_passes(
    dynamodb: ScriptedDynamoDb, clock: FakeClock
) -> None:
    dynamodb.add_client_error("get_item", "ValidationException", http_status_code=400)

    with pytest.raises(ClientError):
        DynamoDbExportStore(dynamodb.client, "exports", clock).get("id")


def test_a_busy_user_of_many_requests_is_trouble_and_no_endless_loop(
    aws: FakeAws, table: str, clock: FakeClock
) -> None:
    refused: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
        "CancellationReasons": [
            {"Code": "None"},
            {"Code": "ConditionalCheckFailed", "Item": {"pk": {"S": "guard"}, "exportId": {"S": "gone"}}},
        ],
    }
    calls: list[Mapping[str, Any]] = []

    def always(**arguments: Any) -> Any:  # noqa: ANN401  (any call of the client)
        calls.append(arguments)
        raise ClientError(refused, "TransactWriteItems")

    with pytest.raises(StorageUnavailable, match="5 times"):
        store_over(table, clock, aws.dynamodb, transact_write_items=always).create(an_export())

    guard = calls[-1]["TransactItems"][1]["Put"]
    assert guard["ConditionExpression"] == GUARD_IS_FREE
    assert guard["ExpressionAttributeValues"] == {":holder": {"S": "gone"}}


def completed_with(export: Export, message_id: str, **changes: Any) -> Export:  # noqa: ANN401  (fields of Export)
    send = Send(number=1, mailing=1, started_at=REQUESTED_AT, evidence=Evidence.ACCEPTED, message_id=message_id)
    return replace(export, status=ExportStatus.COMPLETED, sends=(send,), **changes)


@pytest.mark.parametrize("expiry", [timedelta(days=7), None])
def test_what_is_kept_of_a_mail_expires_with_its_record(
    aws: FakeAws, table: str, store: DynamoDbExportStore, clock: FakeClock, expiry: timedelta | None
) -> None:
    export = store.create(an_export())

    assert store.replace(export, completed_with(export, "first", expires_at=clock() + expiry if expiry else None))

    until = clock() + (expiry or timedelta(days=30))
    assert items(aws, table)["mail#first"]["expiresAt"] == {"N": str(int(until.timestamp()))}


def test_a_message_id_that_was_there_before_keeps_no_export_from_its_end(store: DynamoDbExportStore) -> None:
    first, second = (store.create(an_export(user_id=name)) for name in ("user-1", "user-2"))
    assert store.replace(first, completed_with(first, "same"))

    done = store.replace(second, completed_with(second, "same"))

    assert done is not None
    assert store.get(second.export_id) == done


def test_an_address_that_came_back_leaves_no_entry_of_a_former_one(
    table: str, store: DynamoDbExportStore, aws: FakeAws
) -> None:
    export = store.create(an_export(email="a@example.org"))
    for earlier, email in ((("a@example.org",), "b@example.org"), (("b@example.org",), "a@example.org")):
        changed = store.replace(export, replace(export, email=email, earlier_emails=earlier))
        assert changed
        export = changed
    left = [item["pk"]["S"] for item in aws.dynamodb.scan(TableName=table)["Items"]]
    former = [pk for pk in left if pk.startswith("address#")]
    assert former == [f"address#{address_key('b@example.org')}#{export.export_id}"]


def test_what_has_expired_is_hidden_and_found_by_who_erases(table: str, aws: FakeAws) -> None:
    clock = FakeClock()
    store = DynamoDbExportStore(aws.dynamodb, table, clock)
    export = store.create(an_export(status=ExportStatus.COMPLETED, expires_at=clock() - timedelta(days=1)))
    assert store.get(export.export_id) is None
    assert store.get(export.export_id, expired=True) == export
