"""What stays of an export that was erased: enough to prove it, and to erase it again after a restore."""

from dataclasses import dataclass, replace
from datetime import datetime

from memberships_export.domain.errors import UnreadableRecord
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Export


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """An erased export. Nothing in it names a person: `owner` is a keyed hash of the user id. Times are aware UTC."""

    export_id: str
    owner: str
    requested_at: datetime | None  # None: the record could not be read any more
    erased_at: datetime  # when it began: from then on the export counts as erased
    outcome: str  # its status at that time
    rows: int | None = None  # of its file, if there was one
    clear_at: datetime | None = None  # when to look for what came later; None: all is gone


UNREADABLE = "unreadable"  # in place of a status


def damaged_tombstone(export_id: str, erased_at: datetime, clear_at: datetime | None) -> Tombstone:
    """Make what can be known of a tombstone that cannot be read: enough to erase by it, and to keep its export away."""
    return Tombstone(
        export_id=export_id, owner="", requested_at=None, erased_at=erased_at, outcome=UNREADABLE, clear_at=clear_at
    )


def tombstone_of_unreadable(record: UnreadableRecord, owner: str, now: datetime) -> Tombstone:
    """Make the tombstone of an export of which only its id is known for sure."""
    return Tombstone(
        export_id=record.export_id,
        owner=owner,
        requested_at=record.requested_at,
        erased_at=now,
        outcome=UNREADABLE,
        clear_at=now,
    )


def tombstone_of(export: Export, owner: str, now: datetime) -> Tombstone:
    """Make the tombstone of an export that is about to be erased; it is due at once, should nobody come to do it."""
    return Tombstone(
        export_id=export.export_id,
        owner=owner,
        requested_at=export.requested_at,
        erased_at=now,
        outcome=export.status.value,
        rows=export.file.rows if export.file else None,
        clear_at=now,
    )


def cleared(tombstone: Tombstone, now: datetime, policy: Policy) -> Tombstone:
    """Note that all was deleted; once more when every worker that was under way must have noticed."""
    noticed = tombstone.erased_at + policy.lease
    return replace(tombstone, clear_at=None if now >= noticed else noticed)


def once_more(tombstone: Tombstone, now: datetime) -> Tombstone:
    """Let everything be deleted again: something may have been written since."""
    return replace(tombstone, clear_at=now)
