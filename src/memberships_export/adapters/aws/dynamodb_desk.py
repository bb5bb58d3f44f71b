"""ExportDesk in DynamoDB: keys first, from an index, then the records of the newest of them.

| asked for            | read for the keys                                           |
|----------------------|-------------------------------------------------------------|
| the whole id         | nothing                                                     |
| an address           | `by-address`                                                |
| a user               | `by-user`                                                   |
| an unfinished status | `by-wake`: what wakes within a day                          |
| anything else        | all of `by-address`: keys only, 20 calls for 100,000 exports |

The last one scans, because an index by time would have one busy partition, or cost each export another write; the
table itself, with its documents, is never scanned, nor `by-user`, in which the audit log is too. Records are read for
the newest 5,000 keys at most. A record that was last written before there was `by-address` is not in it.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from heapq import merge, nlargest
from itertools import islice
from typing import TYPE_CHECKING, Any

from memberships_export.adapters.aws.aws_errors import aws_errors
from memberships_export.adapters.aws.dynamodb_item import (
    BY_ADDRESS,
    BY_USER,
    BY_WAKE,
    WAKE_PARTITIONS,
    export_id_of,
    seconds,
    sortable,
)
from memberships_export.adapters.aws.dynamodb_reads import BATCH, Record, read_each
from memberships_export.domain.errors import UnreadableRecord
from memberships_export.domain.export.finding import Counts, Found, Place, Wanted, address_key, counted, place_of
from memberships_export.domain.export.record import UNFINISHED, Export
from memberships_export.ports import Clock

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

    from memberships_export.adapters.aws.dynamodb_item import Item

MOST = 5_000
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_WHOLE_ID = 36  # characters of a UUID
_WAKES_WITHIN = timedelta(days=1)  # longer than any pause between two tries


class DynamoDbExportDesk:
    """Looks at all records of one table."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock, most: int = MOST) -> None:
        """`most`: how many records one answer may be made of."""
        self._client, self._table, self._clock, self._most = client, table, clock, most
        self._resource = f"DynamoDB table {table}"

    def find(self, wanted: Wanted, limit: int, after: Place | None = None) -> Found:
        """Find exports, newest first. Where few of many fit, it ends early and says where to go on."""
        found, unreadable = list[Export](), list[str]()
        looked_at, last = 0, None
        with aws_errors(self._resource, _OLDER_TABLE):
            for record in self._candidates(wanted, after):
                if len(found) == limit:
                    return Found(found, place_of(found[-1]), unreadable)
                looked_at, last = looked_at + 1, record
                if isinstance(record, UnreadableRecord):
                    unreadable.append(record.export_id)
                elif wanted.fits(record):
                    found.append(record)
        return Found(found, _place(last) if last and looked_at >= self._most else None, unreadable)

    def counts(self, wanted: Wanted) -> Counts:
        """Count exports by status and cause, among the newest that may fit."""
        with aws_errors(self._resource, _OLDER_TABLE):
            looked_at = list(self._candidates(wanted, None))
        exports = [record for record in looked_at if isinstance(record, Export) and wanted.fits(record)]
        return Counts(counted(exports), complete=len(looked_at) < self._most)

    def _candidates(self, wanted: Wanted, after: Place | None) -> Iterator[Record]:
        """Read the newest records that may fit, batch by batch as they are needed."""
        for batch in self._batches(wanted, after):
            for record in batch:
                if not self._is_expired(record) and (after is None or _place(record) < after):
                    yield record

    def _batches(self, wanted: Wanted, after: Place | None) -> Iterator[Sequence[Record]]:
        narrow = wanted.address is not None or wanted.user_id is not None or wanted.prefix
        if not narrow and wanted.status in UNFINISHED:
            yield self._waking()
            return
        ids = self._ids(wanted, after)
        for start in range(0, len(ids), BATCH):
            yield read_each(self._client, self._table, ids[start : start + BATCH])

    def _ids(self, wanted: Wanted, after: Place | None) -> Sequence[str]:
        if wanted.prefix and len(wanted.prefix) == _WHOLE_ID:
            return [wanted.prefix]
        newest = nlargest(self._most, self._times_and_ids(wanted, after))
        return list(dict.fromkeys(export_id for _, export_id in newest))

    def _times_and_ids(self, wanted: Wanted, after: Place | None) -> Iterator[tuple[str, str]]:
        since = sortable(wanted.since) if wanted.since else ""
        until = (sortable(after.at), after.export_id) if after else None
        for key in self._keys(wanted):
            found = key["requestedAt"]["S"], export_id_of(key)
            if found[0] >= since and (until is None or found < until) and found[1].startswith(wanted.prefix or ""):
                yield found

    def _keys(self, wanted: Wanted) -> Iterator["Item"]:
        if wanted.address is not None:
            return self._pages("query", **_equal(BY_ADDRESS, "addressHash", address_key(wanted.address)))
        if wanted.user_id is not None:
            return self._pages("query", **_equal(BY_USER, "userId", wanted.user_id))
        return self._pages("scan", IndexName=BY_ADDRESS)

    def _waking(self) -> Sequence[Record]:
        """Read what wakes soon, and put it in the order of the records, which the index does not know."""
        until = seconds(self._clock() + _WAKES_WITHIN)
        keys = merge(*(self._waking_in(partition, until) for partition in WAKE_PARTITIONS), key=_wakes_at)
        ids = [key["pk"]["S"] for key in islice(keys, self._most)]
        return sorted(read_each(self._client, self._table, ids), key=_place, reverse=True)

    def _waking_in(self, partition: str, until: Any) -> Iterator["Item"]:  # noqa: ANN401  (a value of DynamoDB)
        return self._pages(
            "query",
            IndexName=BY_WAKE,
            KeyConditionExpression="wakePartition = :partition AND wakeAt <= :until",
            ExpressionAttributeValues={":partition": {"S": partition}, ":until": until},
        )

    def _pages(self, operation: Any, **arguments: Any) -> Iterator["Item"]:  # noqa: ANN401  (arguments of Query or Scan)
        paginator: Any = self._client.get_paginator(operation)
        for page in paginator.paginate(TableName=self._table, **arguments):
            yield from page["Items"]

    def _is_expired(self, record: Record) -> bool:
        expires_at = record.expires_at if isinstance(record, Export) else None
        return expires_at is not None and self._clock() >= expires_at


_OLDER_TABLE = "If it has no such index, the stack is of an older version: deploy this one first."


def _equal(index: str, name: str, value: str) -> dict[str, Any]:
    return {
        "IndexName": index,
        "KeyConditionExpression": f"{name} = :value",
        "ExpressionAttributeValues": {":value": {"S": value}},
        "ScanIndexForward": False,
    }


def _place(record: Record) -> Place:
    if isinstance(record, Export):
        return place_of(record)
    return Place(record.requested_at or _LONG_AGO, record.export_id)


def _wakes_at(key: "Item") -> float:
    return float(key["wakeAt"]["N"])
