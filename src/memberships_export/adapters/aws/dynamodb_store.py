"""ExportStore in DynamoDB: records in one table, each user's unfinished export held by a guard beside it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from memberships_export.adapters.aws.aws_errors import aws_errors
from memberships_export.adapters.aws.dynamodb_beside import drop_beside
from memberships_export.adapters.aws.dynamodb_item import (
    BY_USER,
    BY_WAKE,
    WAKE_PARTITIONS,
    export_from,
    guard_key,
    mail_key,
    seconds,
    turns_from,
    turns_key,
)
from memberships_export.adapters.aws.dynamodb_reads import read_all
from memberships_export.adapters.aws.dynamodb_writes import (
    ConditionFailed,
    Put,
    TableWrites,
    Write,
    drop,
    drop_guard,
    drop_item,
    put_new,
    put_over,
    put_turns,
    take_guard,
    write_beside,
)
from memberships_export.domain.errors import RateLimited, StorageUnavailable
from memberships_export.domain.export.rate import Turn, with_turn
from memberships_export.domain.export.record import Export
from memberships_export.ports import Clock

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

    from memberships_export.adapters.aws.dynamodb_item import Item

_TRIES = 5
_LONGEST_KEY = 2048  # bytes


class DynamoDbExportStore:
    """ExportStore on AWS.

    The indexes hold keys only and records are then read by id: so a list is never staler than its ids, and most writes
    of a record touch no index of the user. Whole records in both indexes would double the cost of each write.
    """

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        """`clock`: tells which records have expired, because DynamoDB deletes them only some days later."""
        self._client = client
        self._table = table
        self._clock = clock
        self._writes = TableWrites(client, table)
        self._resource = f"DynamoDB table {table}"

    def create(self, export: Export, turn: Turn | None = None) -> Export:
        """Save a new record, or return the one that stands in its way."""
        stored = export if export.revision else _with_new_revision(export)
        put = put_new(stored, self._clock())
        with aws_errors(self._resource):
            refused = self._with_guard(put, stored, turn) if stored.unfinished else self._writes.one(put)
        return export_from(refused.item) if refused and refused.item else stored

    def take_turn(self, turn: Turn) -> None:
        """Note that a user asks for a mail."""
        with aws_errors(self._resource):
            for _ in range(_TRIES):
                if not self._writes.one(self._turn(turn)):
                    return
        raise StorageUnavailable(f"{self._resource}: the turns of one user changed {_TRIES} times in a row.")

    def get(self, export_id: str, *, expired: bool = False) -> Export | None:
        """Read one record, never stale. DynamoDB deletes what has expired some days later: until then it is hidden."""
        with aws_errors(self._resource):
            export = self._read(export_id)
        return None if export is None or (self._is_expired(export) and not expired) else export

    def find_by_message_id(self, message_id: str) -> Export | None:
        """Read the record that has a send with this message id."""
        key = mail_key(message_id)
        with aws_errors(self._resource):
            mail = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return self.get(mail["exportId"]["S"]) if mail else None

    def check(self) -> None:
        """Read: a table has no end that a write could meet, and each write costs five reads."""
        self.get("is-the-store-there")

    def replace(self, old: Export, new: Export) -> Export | None:
        """Write `new` if the record still has the revision of `old`."""
        stored = _with_new_revision(new)
        put, beside = put_over(old, stored), write_beside(old, stored, self._clock())
        with aws_errors(self._resource):
            if stored.unfinished and not old.unfinished:
                refused = self._with_guard(put, stored)
            elif old.unfinished and not stored.unfinished:
                refused = self._without_guard(stored, put, beside)
            else:
                refused = self._with_others(put, beside)
        return None if refused else stored

    def list_for_user(self, user_id: str, limit: int) -> Sequence[Export]:
        """Read a user's records, newest first. The very newest may be missing for a moment."""
        with aws_errors(self._resource):
            keys = self._keys(
                IndexName=BY_USER,
                KeyConditionExpression="userId = :user",
                ExpressionAttributeValues={":user": {"S": user_id}},
                ScanIndexForward=False,
                Limit=limit,
            )
            return [export for export in self._read_all(keys) if not self._is_expired(export)]

    def ids_of_user(self, user_id: str) -> Iterator[str]:
        """Read the ids of all records of a user, page by page. The very newest may be missing for a moment."""
        query: dict[str, Any] = {
            "IndexName": BY_USER,
            "KeyConditionExpression": "userId = :user",
            "ExpressionAttributeValues": {":user": {"S": user_id}},
        }
        while True:
            with aws_errors(self._resource):
                answer = self._client.query(TableName=self._table, **query)
            yield from [key["pk"]["S"] for key in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def erase(self, export_id: str) -> None:
        """Delete a record, whatever its revision; what points to it goes first."""
        with aws_errors(self._resource):
            for _ in range(_TRIES):
                item = self._item(export_id)
                if item is None or self._erased(item):
                    return
        raise StorageUnavailable(f"{self._resource}: export {export_id} changed {_TRIES} times while it was erased.")

    def _erased(self, item: "Item") -> bool:
        for delete in drop_beside(item):
            self._writes.one(delete)
        return self._writes.one(drop_item(item)) is None

    def forget_turns(self, user_id: str) -> None:
        """Delete what is known of the mails that a user asked for."""
        with aws_errors(self._resource):
            self._client.delete_item(TableName=self._table, Key=turns_key(user_id))

    def due(self, now: datetime, limit: int) -> Sequence[Export]:
        """Read records whose wake_at has passed, the longest overdue first; expired ones too, for the sweeper.

        Those that nobody can read stay due for ever: it looks behind them.
        """
        at_most = limit
        with aws_errors(self._resource):
            while True:
                keys = [key for partition in WAKE_PARTITIONS for key in self._due_in(partition, now, at_most)]
                keys.sort(key=lambda key: Decimal(key["wakeAt"]["N"]))
                exports = self._read_all(keys[:at_most])
                if len(exports) >= limit or len(keys) < at_most:
                    return exports[:limit]
                at_most *= 2

    def delete(self, export: Export) -> None:
        """Delete the record if it still has this revision."""
        with aws_errors(self._resource):
            if export.unfinished:
                refused = self._writes.all_or_none(drop(export), drop_guard(export))
                if not refused or refused[0]:
                    return
            self._writes.one(drop(export))

    def _with_guard(self, put: Put, stored: Export, turn: Turn | None = None) -> ConditionFailed | None:
        """Write a record that becomes the user's unfinished one; else return the record that stands in its way.

        A guard whose export is gone or finished can only be left by a hand in the table; it is taken over.
        """
        holder = stored.export_id
        for _ in range(_TRIES):
            try:
                turns = [self._turn(turn)] if turn else []
            except RateLimited:
                if there := self._in_the_way(stored):
                    return there
                raise
            refused = self._writes.all_or_none(put, take_guard(stored, holder), *turns)
            if not refused or refused[0]:
                return refused[0] if refused else None
            guard = refused[1]
            if guard is None:  # it was the turns: another request of the user came first
                continue
            holder = guard.item["exportId"]["S"] if guard.item else stored.export_id
            item = self._item(holder)
            if item is not None and export_from(item).unfinished:
                return ConditionFailed(item)
        reason = f"{self._resource}: the exports of one user changed {_TRIES} times while a new one was being written."
        raise StorageUnavailable(reason)

    def _turn(self, turn: Turn) -> Put:
        """Decide from the turns as they are; the write is refused if they are others by then. Raises RateLimited."""
        key = turns_key(turn.user_id)
        known = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return put_turns(turn.user_id, with_turn(turns_from(known), turn), known)

    def _in_the_way(self, stored: Export) -> ConditionFailed | None:
        """Find what answers a request that has no turn left: the record of its id, or the unfinished one."""
        item = self._item(stored.export_id)
        if item is not None and not self._is_expired(export_from(item)):
            return ConditionFailed(item)
        guard = self._client.get_item(TableName=self._table, Key=guard_key(stored), ConsistentRead=True).get("Item")
        item = self._item(guard["exportId"]["S"]) if guard else None
        return ConditionFailed(item) if item is not None and export_from(item).unfinished else None

    def _without_guard(self, stored: Export, put: Put, beside: Sequence[Write]) -> ConditionFailed | None:
        """Write a record that is finished and make room for the next; a guard of another export is left alone."""
        refused = self._writes.all_or_none(put, drop_guard(stored), *beside)
        if not refused or refused[0]:
            return refused[0] if refused else None
        return self._with_others(put, beside)

    def _with_others(self, put: Put, beside: Sequence[Write]) -> ConditionFailed | None:
        """Write a record, in a transaction only when there is more to note: that costs twice as much."""
        if not beside:
            return self._writes.one(put)
        refused = self._writes.all_or_none(put, *beside)
        return refused[0] if refused else None

    def _read(self, export_id: str) -> Export | None:
        item = self._item(export_id)
        return None if item is None else export_from(item)

    def _item(self, export_id: str) -> "Item | None":
        if not 0 < len(export_id.encode()) <= _LONGEST_KEY:  # DynamoDB would call it a bad request
            return None
        key = {"pk": {"S": export_id}}
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        item = answer.get("Item")
        return item if item and "document" in item else None  # somebody may ask for the key of a guard

    def _due_in(self, partition: str, now: datetime, limit: int) -> "Sequence[Item]":
        return self._keys(
            IndexName=BY_WAKE,
            KeyConditionExpression="wakePartition = :partition AND wakeAt <= :now",
            ExpressionAttributeValues={":partition": {"S": partition}, ":now": seconds(now)},
            Limit=limit,
        )

    def _keys(self, **query: Any) -> "Sequence[Item]":  # noqa: ANN401  (arguments of Query)
        """Ask an index. One page of keys is 1 MB, which is far more than any limit asked for here."""
        return self._client.query(TableName=self._table, **query)["Items"]

    def _read_all(self, keys: "Sequence[Item]") -> list[Export]:
        return read_all(self._client, self._table, [key["pk"]["S"] for key in keys])

    def _is_expired(self, export: Export) -> bool:
        return export.expires_at is not None and self._clock() >= export.expires_at


def _with_new_revision(export: Export) -> Export:
    return replace(export, revision=uuid4().hex)
