"""Conditional writes to one DynamoDB table, alone or several at once, and what stood in their way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from botocore.exceptions import ClientError

from memberships_export.adapters.aws.aws_errors import cancellation_reasons, error_code
from memberships_export.adapters.aws.dynamodb_item import (
    GUARD_IS_FREE,
    GUARD_IS_OURS,
    ID_IS_FREE,
    REVISION_IS_EXPECTED,
    TURNS_ARE_EXPECTED,
    former_item,
    former_key,
    guard_item,
    guard_key_of,
    mail_item,
    mail_key,
    record_item,
    seconds,
    turns_item,
)
from memberships_export.domain.export.record import new_message_ids

if TYPE_CHECKING:
    from datetime import datetime

    from types_boto3_dynamodb.client import DynamoDBClient

    from memberships_export.adapters.aws.dynamodb_item import Item
    from memberships_export.domain.export.record import Export

T = TypeVar("T")
_TRIES = 5  # when another transaction holds the same item; it does so for milliseconds
_CONDITION_FAILED = frozenset({"ConditionalCheckFailed", "ConditionalCheckFailedException"})
_CONFLICT = frozenset({"TransactionConflict", "TransactionConflictException"})


@dataclass(frozen=True, slots=True)
class Put:
    """Write `item` if the condition holds for what is there; without one, whatever is there."""

    item: "Item"
    condition: str = ""
    values: "Item" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete what is under `key` if the condition holds for it; without one, whatever is there."""

    key: "Item"
    condition: str = ""
    values: "Item" = field(default_factory=dict)


Write = Put | Delete


@dataclass(frozen=True, slots=True)
class ConditionFailed:
    """A write whose condition did not hold; `item` is what was there."""

    item: "Item | None"


def put_new(export: "Export", now: "datetime") -> Put:
    """Write a record whose id is free."""
    return Put(record_item(export), ID_IS_FREE, {":now": seconds(now)})


def put_over(old: "Export", new: "Export") -> Put:
    """Write a record over the revision of `old`."""
    return Put(record_item(new), REVISION_IS_EXPECTED, {":expected": {"S": old.revision}})


def drop(export: "Export") -> Delete:
    """Delete a record that still has this revision."""
    return Delete({"pk": {"S": export.export_id}}, REVISION_IS_EXPECTED, {":expected": {"S": export.revision}})


def drop_item(item: "Item") -> Delete:
    """Delete a record as it was read, whether or not it can be understood."""
    return Delete({"pk": item["pk"]}, REVISION_IS_EXPECTED, {":expected": item["revision"]})


def take_guard(export: "Export", holder: str) -> Put:
    """Make this the user's unfinished export, if there is none or it is `holder`."""
    return Put(guard_item(export), GUARD_IS_FREE, {":holder": {"S": holder}})


def put_turns(user_id: str, times: "Sequence[datetime]", known: "Item | None") -> Put:
    """Write the turns of a user over those that were read."""
    revision: Any = known["revision"]["S"] if known else "none"
    return Put(turns_item(user_id, times, uuid4().hex), TURNS_ARE_EXPECTED, {":expected": {"S": revision}})


def drop_guard(export: "Export") -> Delete:
    """Make room for another export of the user, if the guard is this one's."""
    return drop_guard_of(export.user_id, export.options_key, export.export_id)


def drop_guard_of(user_id: str, options_key: str, export_id: str) -> Delete:
    """Make room for another export of this wish, if the guard is of this export."""
    return Delete(guard_key_of(user_id, options_key), GUARD_IS_OURS, {":holder": {"S": export_id}})


def write_beside(old: "Export", new: "Export", now: "datetime") -> list[Write]:
    """Write to which export belong the message ids that became known, and the addresses that it has no more.

    No other write must fail for these.
    """
    former = [address for address in new.earlier_emails if address not in old.earlier_emails]
    forgotten = [address for address in old.earlier_emails if address not in new.earlier_emails]
    return [
        *(Put(mail_item(message_id, new, now)) for message_id in new_message_ids(old, new)),
        *(Put(former_item(address, new, now)) for address in former),
        *(drop_former(address, new.export_id) for address in forgotten),
    ]


def drop_mail(message_id: str, export_id: str) -> Delete:
    """Forget to which export a mail belongs, if it is this one."""
    return Delete(mail_key(message_id), GUARD_IS_OURS, {":holder": {"S": export_id}})


def drop_former(address: str, export_id: str) -> Delete:
    """Forget that an export had this address before."""
    return Delete(former_key(address, export_id))


class TableWrites:
    """Writes. None or an empty answer: written."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """`table`: the name of the table that all writes go to."""
        self._client = client
        self._table = table

    def one(self, write: Write) -> ConditionFailed | None:
        """Make one write; return why its condition did not hold, None when it did."""
        arguments = self._arguments(write)
        call = self._client.put_item if isinstance(write, Put) else self._client.delete_item
        try:
            _past_conflicts(lambda: call(**arguments))
        except ClientError as error:
            if error_code(error) not in _CONDITION_FAILED:
                raise
            answer: Mapping[str, Any] = error.response
            return _refused(write, answer.get("Item"))
        return None

    def all_or_none(self, *writes: Write) -> Sequence[ConditionFailed | None]:
        """Make all of the writes or none; else return, for each, what stood in its way.

        A token goes with it and with the client's retries, so a transaction whose answer was lost is not made twice.
        """
        items: list[Any] = [{type(write).__name__: self._arguments(write)} for write in writes]
        try:
            _past_conflicts(
                lambda: self._client.transact_write_items(TransactItems=items, ClientRequestToken=uuid4().hex)
            )
        except ClientError as error:
            reasons = cancellation_reasons(error)
            if not any(reason.get("Code") in _CONDITION_FAILED for reason in reasons):
                raise
            refused = [_refused_for(write, reason) for write, reason in zip(writes, reasons, strict=True)]
            return refused if any(refused) else []
        return []

    def _arguments(self, write: Write) -> dict[str, Any]:
        what = {"Item": write.item} if isinstance(write, Put) else {"Key": write.key}
        if not write.condition:
            return {**what, "TableName": self._table}
        return {
            **what,
            "TableName": self._table,
            "ConditionExpression": write.condition,
            "ExpressionAttributeValues": write.values,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }


def _past_conflicts(call: Callable[[], T]) -> T:
    """Try again at once while a transaction of somebody else holds the item; the client does not retry that."""
    for _ in range(_TRIES - 1):
        try:
            return call()
        except ClientError as error:
            codes = {error_code(error)} | {reason.get("Code") for reason in cancellation_reasons(error)}
            if not codes & _CONFLICT:
                raise
    return call()


def _refused_for(write: Write, reason: Mapping[str, Any]) -> ConditionFailed | None:
    return _refused(write, reason.get("Item")) if reason.get("Code") in _CONDITION_FAILED else None


def _refused(write: Write, there: "Item | None") -> ConditionFailed | None:
    """Recognise our own write: its answer was lost, and the client's retry found what the first try had written."""
    ours = isinstance(write, Put) and there is not None and _marks(there) == _marks(write.item)
    return None if ours else ConditionFailed(there)


def _marks(item: "Item") -> Sequence[object]:
    """Return what tells one write from another: the random revision of a record, the export of a guard."""
    return [item.get(name) for name in ("pk", "revision", "exportId")]
