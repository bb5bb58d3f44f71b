"""AuditLog in DynamoDB: entries beside the records, in the same table. They expire by themselves.

| item  | pk         | further attributes                                            |
|-------|------------|---------------------------------------------------------------|
| entry | audit#<id> | the fields of the entry, userId, requestedAt, expiresAt       |

They are found by the index `by-user`: in place of a user stands the month, so that one month is one partition.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from memberships_export.adapters.aws.aws_errors import aws_errors, error_code
from memberships_export.adapters.aws.dynamodb_item import BY_USER, seconds
from memberships_export.domain.audit import (
    Action,
    Actor,
    Audited,
    AuditPage,
    AuditQuery,
    Channel,
    Outcome,
    id_bound,
    moment_of,
)
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.ports import Clock

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

    from memberships_export.adapters.aws.dynamodb_item import Item

_BATCH = 100  # the most items of one read
_TRIES = 5
Entry = Audited | str  # of one that cannot be read, its id
_CLOCKS_DIFFER = timedelta(hours=1)  # at most, between who writes and who reads
_TEXTS = tuple(field.name for field in fields(Audited) if field.name != "at")
# Prevents that an outcome is changed once it is known.
OUTCOME_IS_OPEN = "attribute_not_exists(pk) OR outcome = :begun"


class DynamoDbAuditLog:
    """The audit log of a deployment."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock, keep: timedelta) -> None:
        """`keep`: how long entries are kept. `clock`: tells which are older, as DynamoDB deletes them days later."""
        self._client = client
        self._table = table
        self._clock = clock
        self._keep = keep
        self._resource = f"DynamoDB table {table}"

    def note(self, entry: Audited) -> None:
        """Keep an entry, or its outcome."""
        with aws_errors(self._resource):
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=self._item(entry),
                    ConditionExpression=OUTCOME_IS_OPEN,
                    ExpressionAttributeValues={":begun": {"S": Outcome.BEGUN}},
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":  # its outcome is known already
                    raise

    def read(self, query: AuditQuery) -> AuditPage:
        """Read entries, the newest first; one more than is asked for tells whether there are others."""
        found, unreadable = list[Audited](), list[str]()
        with aws_errors(self._resource):
            for entry in self._newest_first(query):
                if isinstance(entry, str):
                    unreadable.append(entry)
                elif query.fits(entry):
                    found.append(entry)
                if len(found) > query.limit:
                    shown = found[: query.limit]
                    return AuditPage(shown, shown[-1].id, [one for one in unreadable if one > shown[-1].id])
        return AuditPage(found, unreadable=unreadable)

    def forget_before(self, moment: datetime) -> int:  # noqa: ARG002  (the port's)
        """Do nothing: each entry says when it expires."""
        return 0

    def _newest_first(self, query: AuditQuery) -> "Iterator[Entry]":
        oldest = max(filter(None, [query.since, self._clock() - self._keep]))
        newest = moment_of(query.before) if query.before else self._clock() + _CLOCKS_DIFFER
        before = query.before or "~"  # behind all ids
        for month in _months(oldest, newest):
            yield from (entry for entry in self._of_month(month, before) if _id_of(entry) >= id_bound(oldest))

    def _of_month(self, month: str, before: str) -> "Iterator[Entry]":
        while True:
            keys = self._client.query(
                TableName=self._table,
                IndexName=BY_USER,
                KeyConditionExpression="userId = :month AND requestedAt < :before",
                ExpressionAttributeValues={":month": {"S": _partition(month)}, ":before": {"S": before}},
                ScanIndexForward=False,
                Limit=_BATCH,
            )["Items"]
            yield from self._read_all(keys)
            if len(keys) < _BATCH:
                return
            before = keys[-1]["requestedAt"]["S"]

    def _read_all(self, keys: "Sequence[Item]") -> "list[Entry]":
        if not keys:
            return []
        wanted: Any = {self._table: {"Keys": [{"pk": key["pk"]} for key in keys], "ConsistentRead": True}}
        entries: list[Entry] = []
        for _ in range(_TRIES):
            answer = self._client.batch_get_item(RequestItems=wanted)
            entries += map(_entry, answer["Responses"].get(self._table, []))
            wanted = answer.get("UnprocessedKeys")
            if not wanted:
                return sorted(entries, key=_id_of, reverse=True)
        reason = f"{self._resource} left reads undone {_TRIES} times. It is throttling; if it lasts, check its metrics."
        raise StorageUnavailable(reason)

    def _item(self, entry: Audited) -> "Item":
        item: dict[str, Any] = {name: {"S": str(value)} for name in _TEXTS if (value := getattr(entry, name))}
        return item | {
            "pk": {"S": f"audit#{entry.id}"},
            "at": seconds(entry.at),
            "userId": {"S": _partition(f"{entry.at.astimezone(UTC):%Y-%m}")},
            "requestedAt": {"S": entry.id},
            "expiresAt": {"N": str(int((entry.at + self._keep).timestamp()) + 1)},
        }


def _partition(month: str) -> str:
    """Return what stands in place of a user: with a character that no id of a user has."""
    return f"audit\x1f{month}"


def _months(oldest: datetime, newest: datetime) -> Iterator[str]:
    """Name the months from the newest back to the oldest, both included."""
    first, last = (moment.astimezone(UTC) for moment in (oldest, newest))
    for number in range(last.year * 12 + last.month - 1, first.year * 12 + first.month - 2, -1):
        yield f"{number // 12:04d}-{number % 12 + 1:02d}"


def _id_of(entry: Entry) -> str:
    return entry if isinstance(entry, str) else entry.id


def _entry(item: "Item") -> Entry:
    try:
        texts = {name: item[name]["S"] if name in item else "" for name in _TEXTS}
        return Audited(
            **{name: texts[name] for name in ("id", "who", "about", "export_id", "detail", "ip", "request_id")},
            at=datetime.fromtimestamp(float(item["at"]["N"]), UTC),
            actor=Actor(texts["actor"]),
            action=Action(texts["action"]),
            outcome=Outcome(texts["outcome"]),
            channel=Channel(texts["channel"]),
        )
    except (ValueError, KeyError, OverflowError):
        return item["pk"]["S"].removeprefix("audit#")
