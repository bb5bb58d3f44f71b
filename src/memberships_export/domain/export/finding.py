"""How exports of all users are looked for, and counted. For operators only: members ask for their own."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from memberships_export.domain.export.record import UNFINISHED, Export, ExportStatus

_KEY = 32  # characters: 128 bits, so that no two addresses have the same; an index on AWS is paid for by its bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which exports: those that fit everything that is said. `address` in the one spelling that records have."""

    user_id: str | None = None
    address: str | None = None
    status: ExportStatus | None = None
    code: str | None = None
    since: datetime | None = None
    prefix: str | None = None

    def fits(self, export: Export) -> bool:
        """Tell whether this is one of them."""
        return (
            self.user_id in {None, export.user_id}
            and self.status in {None, export.status}
            and self.code in {None, code_of(export)}
            and (self.since is None or export.requested_at >= self.since)
            and export.export_id.startswith(self.prefix or "")
            and (self.address is None or address_key(self.address) in address_keys(export))
        )


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an export stands among all: by its age, then by its id."""

    at: datetime
    export_id: str


@dataclass(frozen=True, slots=True)
class Found:
    """Exports, newest first; `more` is where to go on when there may be others.

    `unreadable`: ids of those that stand among them and cannot be read.
    """

    exports: Sequence[Export]
    more: Place | None = None
    unreadable: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """How many exports have this status for this reason, and when the oldest was asked for."""

    status: ExportStatus
    code: str
    exports: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts by status and cause, the largest first. Not `complete`: only so many of the newest were looked at."""

    counts: Sequence[Count]
    complete: bool = True

    @property
    def oldest_unfinished(self) -> datetime | None:
        """When the oldest export that is not finished was asked for; None when all are."""
        return min((count.oldest for count in self.counts if count.status in UNFINISHED), default=None)


def code_of(export: Export) -> str:
    """Return why it failed, or what it waits for; nothing when it does neither."""
    cause = export.failure or export.trouble
    return cause.code if cause else ""


def place_of(export: Export) -> Place:
    """Return where it stands among all."""
    return Place(export.requested_at, export.export_id)


def address_key(address: str) -> str:
    """Return what an index holds for an address: no index, and no key in a log, has the address itself.

    Case does not count: who looks for somebody's exports knows how they write, not how they typed it once.
    """
    return sha256(address.lower().encode()).hexdigest()[:_KEY]


def address_keys(export: Export) -> frozenset[str]:
    """Return the keys of all addresses that it has or had."""
    return frozenset(map(address_key, (export.email, *export.earlier_emails)))


def counted(exports: Iterable[Export]) -> Sequence[Count]:
    """Count exports by status and cause, the largest count first."""
    found: dict[tuple[ExportStatus, str], list[datetime]] = defaultdict(list)
    for export in exports:
        found[export.status, code_of(export)].append(export.requested_at)
    return in_order(Count(status, code, len(times), min(times)) for (status, code), times in found.items())


def in_order(counts: Iterable[Count]) -> Sequence[Count]:
    """Put the largest count first."""
    return sorted(counts, key=lambda count: (-count.exports, count.status, count.code))
