"""What the service needs from the world. Adapters implement these; nothing here knows a vendor.

Every adapter raises StorageUnavailable (or the transient errors named below) for trouble that will pass; anything
else it raises is a bug and stops the work at hand.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from memberships_export.domain.audit import Audited, AuditPage, AuditQuery
from memberships_export.domain.export.finding import Counts, Found, Place, Wanted
from memberships_export.domain.export.rate import Turn
from memberships_export.domain.export.record import Export, Stage
from memberships_export.domain.export.tombstone import Tombstone
from memberships_export.domain.formats.headings import Translate
from memberships_export.domain.formats.options import ZoneNames
from memberships_export.domain.mail.compose import Written
from memberships_export.domain.mail.facts import Facts
from memberships_export.domain.mail.mail import Mail, SendResult
from memberships_export.domain.messages.belonging import Queued
from memberships_export.domain.messages.letters import DeadLetter
from memberships_export.domain.messages.message import Message, Received
from memberships_export.domain.metric import Metric
from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.domain.source.profile import KnownProfile
from memberships_export.domain.source.reader import Reader

Clock = Callable[[], datetime]
"""The time now, as an aware UTC datetime."""

Unwanted = Callable[[Queued], bool]
"""Tells which messages are to be removed."""


class ExportStore(Protocol):
    """The records. Every write is conditional, so no two writers undo each other."""

    def create(self, export: Export, turn: Turn | None = None) -> Export:
        """Save a new record and return it as stored; with a turn, only if its user has one left. Keeps its revision.

        Returns the record that is there instead when the id is taken, or when the user has an unfinished export with
        the same options: that takes no turn. Raises RateLimited when there is no turn left.
        """
        ...

    def take_turn(self, turn: Turn) -> None:
        """Note that a user asks for a mail. Raises RateLimited, and notes nothing, when there is no turn left."""
        ...

    def get(self, export_id: str) -> Export | None:
        """Read one record, never stale."""
        ...

    def find_by_message_id(self, message_id: str) -> Export | None:
        """Read the record that has a send with this message id since it was replaced; None when none has."""
        ...

    def replace(self, old: Export, new: Export) -> Export | None:
        """Write `new` if the record still has the revision of `old`; return it with its new revision.

        None when somebody else wrote in between, or the record is gone, or (for a finished export that becomes
        unfinished again) the user has another unfinished one with the same options.
        """
        ...

    def list_for_user(self, user_id: str, limit: int) -> Sequence[Export]:
        """Read a user's records, newest first."""
        ...

    def due(self, now: datetime, limit: int) -> Sequence[Export]:
        """Read records whose wake_at has passed, the longest overdue first. May be slightly stale."""
        ...

    def delete(self, export: Export) -> None:
        """Delete the record if it still has this revision."""
        ...

    def ids_of_user(self, user_id: str) -> Iterator[str]:
        """Read the ids of all records of a user, also of those that cannot be read or have expired. In any order."""
        ...

    def erase(self, export_id: str) -> None:
        """Delete a record, whatever its revision, with all that points to it. Harmless when it is gone."""
        ...

    def forget_turns(self, user_id: str) -> None:
        """Delete what is known of the mails that a user asked for."""
        ...

    def check(self) -> None:
        """Return when records can be read and written, as far as trying that costs next to nothing.

        Leaves nothing that the other methods see.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """The service accepts, and does not work: since when, who said so, and why. `drain`: what runs may come to its end.

    `by` is an operator: a user of the machine, or a caller of AWS.
    """

    since: datetime
    by: str
    reason: str = ""
    drain: bool = False


class ServiceState(Protocol):
    """What all processes of one service obey."""

    def pause(self, pause: Pause) -> Pause:
        """Pause the service, and return the pause as it is now. One that is there keeps its time and who said so."""
        ...

    def resume(self) -> Pause | None:
        """End the pause; return it, None when there was none."""
        ...

    def paused(self) -> Pause | None:
        """Return the pause, None when the service works. Asked often: the answer may be some seconds old."""
        ...


class ExportDesk(Protocol):
    """The records of all users, for operators. What it reads may be slightly stale."""

    def find(self, wanted: Wanted, limit: int, after: Place | None = None) -> Found:
        """Find exports, newest first, behind this place: at most so many. `more` of the answer is where to go on."""
        ...

    def counts(self, wanted: Wanted) -> Counts:
        """Count exports by status and cause."""
        ...


class ExportQueue(Protocol):
    """At-least-once messages with a visibility timeout; after too many receives a message is a dead letter."""

    def send(self, message: Message, stage: Stage = Stage.FETCH) -> None:
        """Put a message in the queue; `stage` chooses it where each stage has workers and a queue of its own."""
        ...

    def holds(self, message: Message, stage: Stage = Stage.FETCH) -> bool | None:
        """Tell whether a message like this waits in the queue. None: messages do, and nobody can tell which."""
        ...

    def receive(self, wait_seconds: float) -> Received | None:
        """Take one message, invisible to others for the visibility timeout; None when there is none in time."""
        ...

    def acknowledge(self, received: Received) -> None:
        """Remove a message for good. Harmless when it is gone or was taken by another."""
        ...

    def give_back(self, received: Received, delay_seconds: float) -> None:
        """Make a message visible again after a delay. Its receive count stays."""
        ...

    def discard(self, unwanted: Unwanted) -> int | None:
        """Remove messages, also those in a worker's hand; return how many. None: this queue finds none by content."""
        ...


class DeadLetters(Protocol):
    """The dead letter queue, to be read and cleared by people."""

    def add(self, message: Message) -> None:
        """Put a message into the dead letter queue; it is stored when this returns."""
        ...

    def browse(self, limit: int) -> Sequence[DeadLetter]:
        """Read letters, oldest first, without removing them."""
        ...

    def removing(self) -> AbstractContextManager[Callable[[DeadLetter], None]]:
        """Give what removes one letter for good, harmless when it is gone, for as long as letters are removed."""
        ...

    def discard(self, unwanted: Unwanted) -> int | None:
        """Remove letters; return how many. None: this queue finds none by content, so browse and remove them."""
        ...

    def move_all(self) -> bool:
        """Move all letters, as they are, back to the queue they belong to.

        False when this queue does not do that, or not to the end: redrive one by one what is left.
        """
        ...

    def purge(self) -> int:
        """Remove all letters; return how many there were (as far as is known)."""
        ...


class FileSink(Protocol):
    """Where the bytes of a file go while it is made."""

    def write(self, chunk: bytes) -> None:
        """Append bytes; nobody can read them before the file is complete."""
        ...


@dataclass(frozen=True, slots=True)
class Download:
    """What a browser is told about a file: the name to save it under, and its Content-Type."""

    filename: str
    content_type: str


class FileStore(Protocol):
    """Parts and finished files under keys like `parts/<export id>/<name>`. What is stored is complete and durable."""

    def put_once(self, key: str, content: bytes) -> bool:
        """Store under a key that is not taken. False when it is: what was there stays."""
        ...

    def read(self, key: str) -> bytes | None:
        """Read a whole file, None when there is none. Raises FileDamaged when only this file cannot be read."""
        ...

    def stream(self, key: str) -> Iterator[bytes] | None:
        """Read a file in chunks of bounded size, None when there is none. Raises FileDamaged as `read` does."""
        ...

    def writing(self, key: str) -> AbstractContextManager[FileSink]:
        """Write a file in chunks; it appears whole when the block ends well, and not at all when it does not."""
        ...

    def delete_folder(self, prefix: str) -> None:
        """Delete every file whose key starts with `prefix` + "/"."""
        ...

    def signed_url(self, key: str, download: Download, seconds: int) -> str | None:
        """Make a URL that gives the file as this download for so long; None when the store has no such thing."""
        ...


class Erasures(Protocol):
    """The tombstones of exports that were erased."""

    def begin(self, tombstone: Tombstone) -> Tombstone:
        """Save it, unless this export has one: return the one that is there then."""
        ...

    def get(self, export_id: str) -> Tombstone | None:
        """Read the tombstone of an export, never stale."""
        ...

    def replace(self, old: Tombstone, new: Tombstone) -> bool:
        """Write `new` if the `clear_at` there is still that of `old`; False when it is not."""
        ...

    def due(self, now: datetime, limit: int) -> Sequence[Tombstone]:
        """Read tombstones whose clear_at has passed, the longest overdue first. May be slightly stale."""
        ...

    def all(self) -> Iterator[Tombstone]:
        """Read all tombstones, oldest first."""
        ...


class KeptMails(Protocol):
    """Mails that were written to this machine instead of being handed over."""

    def delete(self, export_id: str) -> int:
        """Delete the mails of an export; return how many there were."""
        ...


class Mailer(Protocol):
    """Hands mails over. One attempt per call: no retries, no redirects."""

    repeatable: bool
    """True when sending the same intent twice gives one mail."""

    def send(self, mail: Mail, still_wanted: Callable[[], bool] = lambda: True) -> SendResult:
        """Try to hand over one mail; everything that can happen is a SendResult.

        `still_wanted` is asked last before the first byte leaves: a process may have been stopped at any point before.
        """
        ...


class MembershipSource(Protocol):
    """Makes calls to the memberships API, with what proves who we are."""

    @property
    def base_url(self) -> str:
        """Where the API is, without a slash at its end."""
        ...

    def fetch(self, call: Call, profile: KnownProfile) -> Answer:
        """Fetch one page as received, acting for exactly that user. What it is, only its reader can tell.

        Raises MembershipsUnavailable when no whole answer came, MembershipsRefused for what a person has to mend,
        PlaceForgotten when a page that is not the first is refused, NothingThere for status 400, 404, 410 and 422, and
        MembershipsContractBroken for any other answer that is no page and never will be.
        """
        ...


class Readers(Protocol):
    """The profiles of this process: our own contract, and the one in force, which may be the same."""

    @property
    def only_own(self) -> bool:
        """True when our own contract is the one in force."""
        ...

    @property
    def own(self) -> Reader:
        """Our own contract."""
        ...

    @property
    def current(self) -> Reader:
        """The profile in force."""
        ...


class Translations(Protocol):
    """What is said to members, in their languages. What nobody translated stays English."""

    def into(self, language: str) -> Translate:
        """Return what translates English texts into this language, such as de or de-CH."""
        ...


class MailWriter(Protocol):
    """Puts into words what a mail tells."""

    def write(self, facts: Facts) -> Written:
        """Write the mail, in the language and the time zone of the facts."""
        ...


class Machine(Protocol):
    """What can be known only where all processes are on one machine: which of them died, and that its clock was set."""

    def me(self) -> str:
        """Return the id of this process. From then on its death can be noticed."""
        ...

    def gone(self) -> Sequence[str]:
        """Return the ids of processes that are certainly dead and not forgotten. One that only stands still is not."""
        ...

    def held_by(self, process: str) -> Sequence[Export]:
        """Read the records on which a process has a lease."""
        ...

    def written_after(self, moment: datetime) -> Sequence[tuple[Export, datetime]]:
        """Read unfinished records that nobody works on and whose last write was later, with the time of that write."""
        ...

    def forget(self, process: str) -> None:
        """Forget a dead process. Harmless when another did so before."""
        ...


class AuditLog(Protocol):
    """Who did what to whose data. Entries are added; of one that is there only a begun outcome changes, once."""

    def note(self, entry: Audited) -> None:
        """Keep an entry, durably, or the outcome of one that was begun. Raises StorageUnavailable."""
        ...

    def read(self, query: AuditQuery) -> AuditPage:
        """Read entries, the newest first. The very newest may be missing for a moment."""
        ...

    def forget_before(self, moment: datetime) -> int:
        """Delete entries from before this moment, a bounded number of them; return how many it were.

        Where entries expire by themselves it does nothing.
        """
        ...


class Metrics(Protocol):
    """Takes the numbers of the catalogue (service/metrics.py). It never raises, and is never in the way."""

    def count(self, metric: Metric, label: str = "", by: float = 1) -> None:
        """Add to a counter, under this value of its label."""
        ...

    def observe(self, metric: Metric, value: float, label: str = "") -> None:
        """Add one value to a histogram."""
        ...

    def set(self, metric: Metric, value: float, label: str = "") -> None:
        """Say what a gauge is now, where nobody can read it from the store."""
        ...


@dataclass(frozen=True, slots=True)
class Level:
    """What a gauge is now, under one value of its label."""

    metric: Metric
    value: float
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything outside of the process that the use cases need."""

    store: ExportStore
    state: ServiceState
    desk: ExportDesk
    queue: ExportQueue
    dead_letters: DeadLetters
    files: FileStore
    erasures: Erasures
    mailer: Mailer | None  # None: this process may not send mails
    source: MembershipSource | None  # None: this process may not reach the memberships API
    clock: Clock
    readers: Readers
    translations: Translations
    mail_writer: MailWriter
    zone_names: ZoneNames
    audit: AuditLog
    audit_key: Callable[[], str]  # what the pseudonyms in it are made with
    kept_mails: KeptMails | None = None  # None: no mails are kept here
    machine: Machine | None = None  # None: processes are on many machines, and only the end of a lease tells
    metrics: Metrics | None = None  # None: nobody wants to see numbers
