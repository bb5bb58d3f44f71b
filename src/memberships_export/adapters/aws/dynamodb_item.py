"""Records and guards as items of one DynamoDB table, and the conditions under which they are written.

| item   | pk                             | further attributes                                                       |
|--------|--------------------------------|--------------------------------------------------------------------------|
| record | export id                      | document, revision, userId, requestedAt, expiresAt, wakePartition+wakeAt |
| guard  | active#<hash of user>#<options> | exportId: the one unfinished export of that user with those options     |
| turns  | turns#<hash of user>           | times of the mails asked for within the last hour, revision, expiresAt   |
| mail   | mail#<message id>              | exportId: the export that the mail service's id belongs to, expiresAt    |
| pause  | service#pause                  | pausedSince, pausedBy, pauseReason, pauseDrain; there while it is paused |
| former | address#<hash>#<export id>     | addressHash, requestedAt, expiresAt: an address that an export had before |
| stone  | erased#<export id>             | tombstone, revision, a constant userId, requestedAt, wakePartition+wakeAt |

A record has addressHash too: of its address now. Indexes, all KEYS_ONLY: `by-user` (userId, requestedAt), `by-wake`
(wakePartition, wakeAt) and `by-address` (addressHash, requestedAt).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import ceil
from typing import TYPE_CHECKING, Any
from zlib import crc32

import msgspec

from memberships_export.domain.errors import UnreadableRecord
from memberships_export.domain.export.document import read_document, write_document
from memberships_export.domain.export.finding import address_key
from memberships_export.domain.export.rate import HOUR
from memberships_export.domain.export.record import Export

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

BY_USER = "by-user"
BY_WAKE = "by-wake"
BY_ADDRESS = "by-address"
# A partition of an index takes 1000 writes a second, and nearly every write of a record moves its wake time: so the
# records are spread over some partitions. The sweeper asks all of them; changing their number needs a migration.
WAKE_PARTITIONS = tuple(f"wake-{number}" for number in range(8))
_MAIL_KEPT = timedelta(days=30)  # when its export does not say how long it is kept
_FORMER = "address"
_SORTABLE = "%Y-%m-%dT%H:%M:%S.%fZ"
_LARGEST = 400 * 1024  # bytes of an item, names included

# Prevents that a writer undoes what another wrote since it read the record, and that a deleted record comes back.
REVISION_IS_EXPECTED = "revision = :expected"
# Prevents that a repeated request (same Idempotency-Key, same id) overwrites the export it made. DynamoDB deletes
# expired items days late: one that is still there does not count.
ID_IS_FREE = "attribute_not_exists(pk) OR expiresAt <= :now"
# Prevents two unfinished exports of one user with the same options. `:holder` is this export itself, or the one that
# the guard was found to name although it is finished or gone.
GUARD_IS_FREE = "attribute_not_exists(pk) OR exportId = :holder"
# Prevents that two requests at once both have the last turn.
TURNS_ARE_EXPECTED = "attribute_not_exists(pk) OR revision = :expected"
# Prevents that an export which finishes takes away the guard of another one.
GUARD_IS_OURS = "attribute_not_exists(pk) OR exportId = :holder"


def record_item(export: Export) -> "Item":
    """Write a record. What wakes or expires at no time is left out, and so stays out of that index."""
    item: dict[str, Any] = {
        "pk": {"S": export.export_id},
        "document": {"S": write_document(export)},
        "revision": {"S": export.revision},
        "userId": {"S": export.user_id},
        "requestedAt": {"S": sortable(export.requested_at)},
        "addressHash": {"S": address_key(export.email)},
    }
    if export.wake_at:
        item |= {"wakePartition": {"S": wake_partition(export.export_id)}, "wakeAt": seconds(export.wake_at)}
    if export.expires_at:
        item["expiresAt"] = {"N": str(ceil(export.expires_at.timestamp()))}
    _check_size(export, item)
    return item


def export_from(item: "Item") -> Export:
    """Return the export of a whole item; the other attributes are there for the indexes only.

    Raises UnreadableRecord.
    """
    try:
        return read_document(item["document"]["S"])
    except msgspec.DecodeError as error:
        at = moment_from(item["requestedAt"]["S"])
        raise UnreadableRecord(item["pk"]["S"], item["userId"]["S"], at) from error


def guard_key(export: Export) -> "Item":
    """Return the key of the guard. User ids are hashed: they may hold anything, also a #."""
    return guard_key_of(export.user_id, export.options_key)


def guard_key_of(user_id: str, options_key: str) -> "Item":
    """Return the key of the guard of a user's wish."""
    return {"pk": {"S": f"active#{_hashed(user_id)}#{options_key}"}}


def turns_key(user_id: str) -> "Item":
    """Return the key of a user's turns: the mails asked for within an hour. The user's id is hashed."""
    return {"pk": {"S": f"turns#{_hashed(user_id)}"}}


def turns_item(user_id: str, times: Sequence[datetime], revision: str) -> "Item":
    """Write the turns of a user; nobody needs them when the last one is an hour old."""
    return {
        **turns_key(user_id),
        "times": {"L": [seconds(at) for at in times]},
        "revision": {"S": revision},
        "expiresAt": {"N": str(ceil((max(times) + HOUR).timestamp()))},
    }


def turns_from(item: "Item | None") -> list[datetime]:
    """Return when the user asked for mails, as the item has it; nothing when there is no item."""
    return [datetime.fromtimestamp(float(at["N"]), UTC) for at in item["times"]["L"]] if item else []


def guard_item(export: Export) -> "Item":
    """Return the item that keeps a second export of the same user and options from starting."""
    return {**guard_key(export), "exportId": {"S": export.export_id}}


def mail_key(message_id: str) -> "Item":
    """Return the key of what says to which export a mail belongs."""
    return {"pk": {"S": f"mail#{message_id}"}}


def mail_item(message_id: str, export: Export, now: datetime) -> "Item":
    """Write to which export a mail belongs; kept as long as the record."""
    expires_at = export.expires_at or now + _MAIL_KEPT
    until: AttributeValueTypeDef = {"N": str(ceil(expires_at.timestamp()))}
    return {**mail_key(message_id), "exportId": {"S": export.export_id}, "expiresAt": until}


def former_key(address: str, export_id: str) -> "Item":
    """Return the key of what says that an export had this address before."""
    return {"pk": {"S": f"{_FORMER}#{address_key(address)}#{export_id}"}}


def former_item(address: str, export: Export, now: datetime) -> "Item":
    """Write that an export had this address before; kept as long as the record."""
    hashed, expires_at = address_key(address), export.expires_at or now + _MAIL_KEPT
    return {
        **former_key(address, export.export_id),
        "addressHash": {"S": hashed},
        "requestedAt": {"S": sortable(export.requested_at)},
        "expiresAt": {"N": str(ceil(expires_at.timestamp()))},
    }


def export_id_of(key: "Item") -> str:
    """Return the export that an entry of an index is about: a record, or an address that one had before."""
    pk = key["pk"]["S"]
    return pk.split("#", 2)[2] if pk.startswith(f"{_FORMER}#") else pk


def wake_partition(export_id: str) -> str:
    """Return where in the index the record is, always the same for one id."""
    return WAKE_PARTITIONS[crc32(export_id.encode()) % len(WAKE_PARTITIONS)]


def seconds(moment: datetime) -> "AttributeValueTypeDef":
    """Write a moment as seconds since 1970, to the microsecond and without zeros at the end, as DynamoDB keeps it."""
    return {"N": f"{moment.timestamp():.6f}".rstrip("0").rstrip(".")}


def _hashed(user_id: str) -> str:
    return sha256(user_id.encode()).hexdigest()


def sortable(moment: datetime) -> str:
    """Write a moment so that texts have the order of time."""
    return moment.astimezone(UTC).strftime(_SORTABLE)


def moment_from(text: str) -> datetime:
    """Read such a moment. Raises ValueError."""
    return datetime.strptime(text, _SORTABLE).replace(tzinfo=UTC)


def _check_size(export: Export, item: Mapping[str, Any]) -> None:
    size = sum(len(name) + len(text.encode()) for name, value in item.items() for text in value.values())
    if size > _LARGEST:
        raise ValueError(
            f"The record of export {export.export_id} has {size} bytes; DynamoDB takes {_LARGEST}. "
            "Its sends or its texts have grown beyond reason."
        )
