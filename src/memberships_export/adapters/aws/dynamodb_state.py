"""ServiceState in DynamoDB: one item of the table of the records, there while the service is paused."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from memberships_export.adapters.aws.aws_errors import aws_errors
from memberships_export.domain.pause import Pause

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

    from memberships_export.adapters.aws.dynamodb_item import Item

_KEY: "Item" = {"pk": {"S": "service#pause"}}


class DynamoDbServiceState:
    """The state of one table's service. It is read by every function now and then, so the reads are the cheap ones."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """`table`: the one of the records."""
        self._client = client
        self._table = table
        self._resource = f"DynamoDB table {table}"

    def pause(self, pause: Pause) -> Pause:
        """Write the item; who paused first stays named. Of two at the same moment that is the later one."""
        with aws_errors(self._resource):
            known = self._read(consistent=True)
            kept = replace(pause, since=known.since, by=known.by) if known else pause
            self._client.put_item(TableName=self._table, Item=_item(kept))
        return kept

    def resume(self) -> Pause | None:
        """Delete the item."""
        with aws_errors(self._resource):
            answer = self._client.delete_item(TableName=self._table, Key=_KEY, ReturnValues="ALL_OLD")
        item = answer.get("Attributes")
        return _pause(item) if item else None

    def paused(self) -> Pause | None:
        """Read the item; not consistently, which costs half as much and is late by less than a second."""
        with aws_errors(self._resource):
            return self._read(consistent=False)

    def _read(self, *, consistent: bool) -> Pause | None:
        item = self._client.get_item(TableName=self._table, Key=_KEY, ConsistentRead=consistent).get("Item")
        return _pause(item) if item else None


def _item(pause: Pause) -> "Item":
    return {
        **_KEY,
        "pausedSince": {"S": pause.since.isoformat()},
        "pausedBy": {"S": pause.by},
        "pauseReason": {"S": pause.reason},
        "pauseDrain": {"BOOL": pause.drain},
    }


def _pause(item: "Item") -> Pause:
    return Pause(
        since=datetime.fromisoformat(item["pausedSince"]["S"]),
        by=item["pausedBy"]["S"],
        reason=item["pauseReason"]["S"],
        drain=item["pauseDrain"]["BOOL"],
    )
