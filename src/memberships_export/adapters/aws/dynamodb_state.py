"""ServiceState in DynamoDB: one item of the table of the records, there while the service is paused."""

from datetime import datetime
from typing import TYPE_CHECKING

from memberships_export.adapters.aws.aws_errors import aws_errors
from memberships_export.ports import Pause

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

    from memberships_export.adapters.aws.dynamodb_item import Item

_KEY: "Item" = {"pk": {"S": "service#pause"}}
# Who paused first stays named; a second pause changes how it is meant.
_PAUSE = (
    "SET pausedSince = if_not_exists(pausedSince, :since), pausedBy = if_not_exists(pausedBy, :by), "
    "pauseReason = :reason, pauseDrain = :drain"
)


class DynamoDbServiceState:
    """The state of one table's service. It is read by every function now and then, so the reads are the cheap ones."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """`table`: the one of the records."""
        self._client = client
        self._table = table
        self._resource = f"DynamoDB table {table}"

    def pause(self, pause: Pause) -> Pause:
        """Write the item, or what may change of it."""
        values: Item = {
            ":since": {"S": pause.since.isoformat()},
            ":by": {"S": pause.by},
            ":reason": {"S": pause.reason},
            ":drain": {"BOOL": pause.drain},
        }
        with aws_errors(self._resource):
            answer = self._client.update_item(
                TableName=self._table,
                Key=_KEY,
                UpdateExpression=_PAUSE,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
        return _pause(answer["Attributes"])

    def resume(self) -> Pause | None:
        """Delete the item."""
        with aws_errors(self._resource):
            answer = self._client.delete_item(TableName=self._table, Key=_KEY, ReturnValues="ALL_OLD")
        item = answer.get("Attributes")
        return _pause(item) if item else None

    def paused(self) -> Pause | None:
        """Read the item; not consistently, which costs half as much and is late by less than a second."""
        with aws_errors(self._resource):
            item = self._client.get_item(TableName=self._table, Key=_KEY).get("Item")
        return _pause(item) if item else None


def _pause(item: "Item") -> Pause:
    return Pause(
        since=datetime.fromisoformat(item["pausedSince"]["S"]),
        by=item["pausedBy"]["S"],
        reason=item["pauseReason"]["S"],
        drain=item["pauseDrain"]["BOOL"],
    )
