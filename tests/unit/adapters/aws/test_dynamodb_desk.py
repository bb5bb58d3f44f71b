"""What the desk on AWS does where there are more records than one answer is made of."""

from datetime import timedelta
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from memberships_export.adapters.aws.dynamodb_desk import DynamoDbExportDesk
from memberships_export.adapters.aws.dynamodb_store import DynamoDbExportStore
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.export.finding import Wanted
from memberships_export.domain.export.record import Export, ExportStatus
from rig.aws.fake_aws import FakeAws
from tests.factories import REQUESTED_AT, an_export
from tests.fakes.memory import FakeClock

_MOST = 4


@pytest.fixture
def table(aws: FakeAws) -> str:
    return aws.new_table()


@pytest.fixture
def store(aws: FakeAws, table: str) -> DynamoDbExportStore:
    return DynamoDbExportStore(aws.dynamodb, table, FakeClock())


@pytest.fixture
def desk(aws: FakeAws, table: str) -> DynamoDbExportDesk:
    return DynamoDbExportDesk(aws.dynamodb, table, FakeClock(), most=_MOST)


def fill(store: DynamoDbExportStore, exports: int) -> None:
    """Completed exports, the oldest of them failed."""
    for number in range(exports):
        status = ExportStatus.FAILED if number == exports - 1 else ExportStatus.COMPLETED
        store.create(an_export(requested_at=REQUESTED_AT - timedelta(seconds=number), status=status))


def test_what_is_behind_the_records_of_one_answer_is_found_by_going_on(
    store: DynamoDbExportStore, desk: DynamoDbExportDesk
) -> None:
    fill(store, 10)
    wanted, after = Wanted(status=ExportStatus.FAILED), None
    found: list[Export] = []
    for _ in range(4):
        page = desk.find(wanted, 5, after)
        found += page.exports
        after = page.more
        if after is None:
            break
    assert after is None
    assert [export.status for export in found] == [ExportStatus.FAILED]


def test_counts_of_more_than_that_say_that_there_are_more(store: DynamoDbExportStore, desk: DynamoDbExportDesk) -> None:
    fill(store, 5)
    counts = desk.counts(Wanted())
    assert not counts.complete
    assert sum(count.exports for count in counts.counts) == _MOST


def test_the_records_of_a_list_are_read_no_further_than_it_is_long(
    aws: FakeAws, store: DynamoDbExportStore, table: str
) -> None:
    fill(store, 120)
    start = len(aws.calls)
    DynamoDbExportDesk(aws.dynamodb, table, FakeClock()).find(Wanted(), 20)
    assert aws.calls[start:] == ["Scan", "BatchGetItem"]


def test_a_table_of_an_older_version_says_what_to_do() -> None:
    """AWS calls an index that is not there a wrong request; moto does not."""
    message = "The table does not have the specified index: by-address"
    no_index = ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "Query")

    class OlderTable:
        def get_paginator(self, _: str) -> None:
            raise no_index

    desk = DynamoDbExportDesk(cast("Any", OlderTable()), "exports", FakeClock())
    for look in (lambda: desk.find(Wanted(address="a@example.org"), 5), lambda: desk.counts(Wanted())):
        with pytest.raises(StorageUnavailable, match="deploy this one first"):
            look()
