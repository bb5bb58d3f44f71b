"""Reads of many records by their ids, which the indexes of the table give."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from memberships_export.adapters.aws.dynamodb_item import export_from
from memberships_export.domain.errors import StorageUnavailable, UnreadableRecord
from memberships_export.domain.export.record import Export

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

    from memberships_export.adapters.aws.dynamodb_item import Item

log = logging.getLogger(__name__)
BATCH = 100  # the most records of one read
_TRIES = 5
Record = Export | UnreadableRecord


def read_all(client: "DynamoDBClient", table: str, ids: Sequence[str]) -> list[Export]:
    """Read the records that are still there, in the order of the ids; one that cannot be read is told and left out."""
    found = list[Export]()
    for record in read_each(client, table, ids):
        if isinstance(record, UnreadableRecord):
            log.error("export=%s event=unreadable_record reason=%s", record.export_id, record.__cause__)
        else:
            found.append(record)
    return found


def read_each(client: "DynamoDBClient", table: str, ids: Sequence[str]) -> "list[Record]":
    """Read the records that are still there, in the order of the ids, also what cannot be read of them."""
    found: dict[str, Record] = {}
    for start in range(0, len(ids), BATCH):
        found |= _read_batch(client, table, ids[start : start + BATCH])
    return [found[export_id] for export_id in ids if export_id in found]


def _read_batch(client: "DynamoDBClient", table: str, ids: Sequence[str]) -> "dict[str, Record]":
    wanted: Any = {table: {"Keys": [{"pk": {"S": one}} for one in ids], "ConsistentRead": True}}
    found: dict[str, Record] = {}
    for _ in range(_TRIES):
        answer = client.batch_get_item(RequestItems=wanted)
        exports = map(_readable, answer["Responses"].get(table, []))
        found |= {export.export_id: export for export in exports if export}
        wanted = answer.get("UnprocessedKeys")
        if not wanted:
            return found
    reason = (
        f"DynamoDB table {table} left reads undone {_TRIES} times. It is throttling; if it lasts, check its metrics."
    )
    raise StorageUnavailable(reason)


def _readable(item: "Item") -> "Record | None":
    """Read a record of a list; one that a newer version wrote must not keep the others from being seen."""
    if "document" not in item:  # an entry of the audit log, whose month somebody took for a user
        return None
    try:
        return export_from(item)
    except UnreadableRecord as error:
        return error
