"""Erasures in DynamoDB: tombstones beside the records, in the same table and indexes. They never expire."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from memberships_export.adapters.aws.aws_errors import aws_errors
from memberships_export.adapters.aws.dynamodb_item import BY_USER, BY_WAKE, moment_from, seconds, sortable
from memberships_export.adapters.aws.dynamodb_writes import Put, TableWrites
from memberships_export.domain.export.tombstone import Tombstone, damaged_tombstone

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

    from memberships_export.adapters.aws.dynamodb_item import Item

_OF_NOBODY = "\x1ftombstones"  # in the place of the user id, which cannot begin with a control character
_PARTITION = "erasures"  # of the index by wake time: the sweeper asks for it apart from the records
_LONGEST_KEY = 2048  # bytes
_IS_NEW = "attribute_not_exists(pk) OR revision = :own"
# Prevents that what a worker asks for is undone by a sweeper that began before.
_STILL_DUE = "wakeAt = :expected"
_STILL_DONE = "attribute_exists(pk) AND attribute_not_exists(wakeAt) AND revision <> :own"


class DynamoDbErasures:
    """The tombstones on AWS."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """`table`: the one of the records."""
        self._client = client
        self._table = table
        self._writes = TableWrites(client, table)
        self._resource = f"DynamoDB table {table}"

    def begin(self, tombstone: Tombstone) -> Tombstone:
        """Save it, unless this export has one."""
        item = _item(tombstone)
        with aws_errors(self._resource):
            refused = self._writes.one(Put(item, _IS_NEW, {":own": item["revision"]}))
        return _tombstone(refused.item) if refused and refused.item else tombstone

    def get(self, export_id: str) -> Tombstone | None:
        """Read the tombstone of an export, never stale."""
        if len(f"erased#{export_id}".encode()) > _LONGEST_KEY:
            return None
        with aws_errors(self._resource):
            answer = self._client.get_item(TableName=self._table, Key=_key(export_id), ConsistentRead=True)
        return _tombstone(answer["Item"]) if "Item" in answer else None

    def replace(self, old: Tombstone, new: Tombstone) -> bool:
        """Write `new` if the `clear_at` there is still that of `old`."""
        item = _item(new)
        if old.clear_at:
            put = Put(item, _STILL_DUE, {":expected": seconds(old.clear_at)})
        else:
            put = Put(item, _STILL_DONE, {":own": item["revision"]})
        with aws_errors(self._resource):
            return self._writes.one(put) is None

    def due(self, now: datetime, limit: int) -> Sequence[Tombstone]:
        """Read tombstones whose clear_at has passed, the longest overdue first."""
        with aws_errors(self._resource):
            found = self._client.query(
                TableName=self._table,
                IndexName=BY_WAKE,
                KeyConditionExpression="wakePartition = :partition AND wakeAt <= :now",
                ExpressionAttributeValues={":partition": {"S": _PARTITION}, ":now": seconds(now)},
                Limit=limit,
            )
        return self._read(found["Items"])

    def all(self) -> Iterator[Tombstone]:
        """Read all tombstones, oldest first. The very newest may be missing for a moment."""
        query: dict[str, Any] = {
            "IndexName": BY_USER,
            "KeyConditionExpression": "userId = :nobody",
            "ExpressionAttributeValues": {":nobody": {"S": _OF_NOBODY}},
        }
        while True:
            with aws_errors(self._resource):
                answer = self._client.query(TableName=self._table, **query)
            yield from self._read(answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _read(self, keys: "Sequence[Item]") -> list[Tombstone]:
        found = (self.get(key["pk"]["S"].removeprefix("erased#")) for key in keys)
        return [tombstone for tombstone in found if tombstone]


def _key(export_id: str) -> "Item":
    return {"pk": {"S": f"erased#{export_id}"}}


def _item(tombstone: Tombstone) -> "Item":
    item: dict[str, Any] = {
        **_key(tombstone.export_id),
        "tombstone": {"S": msgspec.json.encode(tombstone).decode()},
        "revision": {"S": uuid4().hex},
        "userId": {"S": _OF_NOBODY},
        "requestedAt": {"S": sortable(tombstone.erased_at)},
    }
    if tombstone.clear_at:
        item |= {"wakePartition": {"S": _PARTITION}, "wakeAt": seconds(tombstone.clear_at)}
    return item


def _tombstone(item: "Item") -> Tombstone:
    try:
        return msgspec.json.decode(item["tombstone"]["S"], type=Tombstone)
    except msgspec.DecodeError:
        erased_at = moment_from(item["requestedAt"]["S"])
        clear_at = datetime.fromtimestamp(float(item["wakeAt"]["N"]), UTC) if "wakeAt" in item else None
        return damaged_tombstone(item["pk"]["S"].removeprefix("erased#"), erased_at, clear_at)
