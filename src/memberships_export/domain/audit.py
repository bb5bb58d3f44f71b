"""Who did what to whose data, when and from where: entries of the audit log, and how they are asked for.

An entry holds no rows, addresses, tokens or names of files. Members stand in it by a pseudonym
(`memberships_export.domain.pseudonyms`), so that their ids cannot be read from it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

_RANDOM_BITS = 62
_DETAIL = re.compile(r"[a-z0-9_=.,-]{0,100}")
_ID = re.compile(r"[A-Za-z0-9._:/+=-]{0,128}")  # of a stranger's making


class Actor(StrEnum):
    """What kind of person or program did it."""

    MEMBER = "member"
    OPERATOR = "operator"
    SYSTEM = "system"
    PROVIDER = "provider"  # the mail service


class Channel(StrEnum):
    """By which way it was asked for."""

    API = "api"
    CLI = "cli"
    LINK = "link"  # the download link of a mail: whoever holds it
    WEBHOOK = "webhook"
    SYSTEM = "system"


class Action(StrEnum):
    """What was done."""

    EXPORT_CANCELLED = "export.cancelled"
    EXPORT_RESENT = "export.resent"
    EXPORT_RETRIED = "export.retried"
    FILE_DOWNLOADED = "file.downloaded"
    LINK_OPENED = "link.opened"
    MAIL_PROVEN = "mail.proven"  # an event of the mail service changed the status of an export
    ADDRESS_REVEALED = "address.revealed"
    DLQ_REDRIVEN = "dlq.redriven"
    DLQ_PURGED = "dlq.purged"
    DATA_ERASED = "data.erased"
    AUDIT_READ = "audit.read"
    SERVICE_PAUSED = "service.paused"
    SERVICE_RESUMED = "service.resumed"
    BACKUP_MADE = "backup.made"
    BACKUP_RESTORED = "backup.restored"


class Outcome(StrEnum):
    """What came of it."""

    BEGUN = "begun"  # noted before it was done; it stays so when the process died in between: done or not
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who asks, and from where.

    `who`: of a member the user id, which is never stored as it is; of an operator the name. `ip`: shortened.
    """

    actor: Actor = Actor.SYSTEM
    who: str = ""
    channel: Channel = Channel.SYSTEM
    ip: str = ""
    request_id: str = ""


SYSTEM = Origin()


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """One entry. `who` and `about` are pseudonyms of members; `who` of an operator is the name.

    `about`: whose data it is. `detail`: why it failed, or how many, as a word: `letters=3`. Nothing else fits in.
    """

    id: str
    at: datetime
    actor: Actor
    action: Action
    outcome: Outcome = Outcome.BEGUN
    who: str = ""
    about: str = ""
    export_id: str = ""
    detail: str = ""
    channel: Channel = Channel.SYSTEM
    ip: str = ""
    request_id: str = ""

    def __post_init__(self) -> None:
        """Refuse texts in which personal data could stand. Raises ValueError."""
        if not _DETAIL.fullmatch(self.detail):
            raise ValueError(f"The detail of an entry of action {self.action} is no word such as letters=3.")

    def ended(self, outcome: Outcome, detail: str = "") -> "Audited":
        """Return the same entry with what came of it."""
        return replace(self, outcome=outcome, detail=detail or self.detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Which entries: all that fit all of it, the newest first. `person`: a pseudonym, as who or as about.

    `before`: the place to go on, from the page before.
    """

    since: datetime | None = None
    export_id: str | None = None
    action: Action | None = None
    person: str | None = None
    limit: int = 100
    before: str | None = None

    def fits(self, entry: Audited) -> bool:
        """Tell whether an entry is asked for; limit and place are the log's."""
        return (
            (self.since is None or entry.id >= id_bound(self.since))
            and self.export_id in {None, entry.export_id}
            and self.action in {None, entry.action}
            and self.person in {None, entry.who, entry.about}
        )


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, the newest first; `before` goes into the next query, and is None when these are the last.

    `unreadable`: ids of entries that stand among them and that this version cannot read.
    """

    entries: Sequence[Audited]
    before: str | None = None
    unreadable: Sequence[str] = ()


def entry_id(at: datetime, randomness: bytes) -> str:
    """Make an id of a moment and eight random bytes; ids sort by time, to the microsecond.

    A UUID of version 7 (RFC 9562, section 5.7), with the fraction of the millisecond in `rand_a` (6.2, method 3).
    """
    milliseconds, micros = divmod(_microseconds(at), 1000)
    upper = milliseconds << 16 | 0x7 << 12 | micros * 4096 // 1000
    lower = 0b10 << _RANDOM_BITS | int.from_bytes(randomness) >> 2
    return str(UUID(int=upper << 64 | lower))


def id_bound(moment: datetime) -> str:
    """Return a text that sorts behind all ids of before this millisecond, and before all of the others."""
    digits = f"{_microseconds(moment) // 1000:012x}"
    return f"{digits[:8]}-{digits[8:]}"


def is_entry_id(text: str) -> bool:
    """Tell whether this can be the id of an entry."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def moment_of(entry_id: str) -> datetime:
    """Return the millisecond in which an id was made. Raises ValueError for what is no such id."""
    return datetime.fromtimestamp((UUID(entry_id).int >> 80) / 1000, UTC)


def kept_id(given: str) -> str:
    """Return the id of a request or an export as an entry may hold it: none in which an address could stand."""
    return given if _ID.fullmatch(given) else ""


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond
