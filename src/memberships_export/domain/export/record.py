"""What an export is, and the table of what may become of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from memberships_export.domain.formats.options import Options
from memberships_export.domain.source.progress import Progress


class ExportStatus(StrEnum):
    """Where an export is in its life."""

    QUEUED = "queued"  # recorded, waiting for a worker
    RUNNING = "running"  # a worker holds the lease
    WAITING = "waiting"  # something that will pass is in the way; comes back by itself
    COMPLETED = "completed"  # the mail was accepted
    FAILED = "failed"  # will not finish by itself; the reason is on the record
    CANCELLED = "cancelled"  # stopped by the user


UNFINISHED = frozenset({ExportStatus.QUEUED, ExportStatus.RUNNING, ExportStatus.WAITING})
TERMINAL = frozenset(ExportStatus) - UNFINISHED

STATUS_TEXT: Mapping[ExportStatus, str] = {
    ExportStatus.QUEUED: "Export in progress",
    ExportStatus.RUNNING: "Export in progress",
    ExportStatus.WAITING: "Export in progress",
    ExportStatus.COMPLETED: "Export completed",
    ExportStatus.FAILED: "Export failed",
    ExportStatus.CANCELLED: "Export cancelled",
}


class Stage(StrEnum):
    """The step an unfinished export is at, or a failed one stopped at."""

    FETCH = "fetch"
    RENDER = "render"
    DELIVER = "deliver"


class Event(StrEnum):
    """What changes a status; the table of transitions says which status takes which event."""

    CLAIM = "claim"  # a worker takes the lease
    CHECKPOINT = "checkpoint"  # the worker got further, or says that it is alive
    YIELD = "yield"  # the worker stops in good order before its time is up
    WAIT = "wait"  # something that will pass is in the way
    WAKE = "wake"  # the time of the next attempt has come
    COMPLETE = "complete"  # the mail was accepted
    FAIL = "fail"  # it will not finish by itself
    CANCEL = "cancel"  # the user stops it
    CALL_OFF = "call_off"  # the user stops a resend: the file was mailed before
    REDRIVE = "redrive"  # an operator puts it back on its way
    RESEND = "resend"  # the user wants the stored file mailed again


_S, _E = ExportStatus, Event
TRANSITIONS: Mapping[tuple[ExportStatus, Event], ExportStatus] = {
    (_S.QUEUED, _E.CLAIM): _S.RUNNING,
    (_S.WAITING, _E.CLAIM): _S.RUNNING,
    (_S.RUNNING, _E.CLAIM): _S.RUNNING,  # the lease ran out: the next worker takes over under a higher token
    (_S.RUNNING, _E.CHECKPOINT): _S.RUNNING,
    (_S.RUNNING, _E.YIELD): _S.QUEUED,
    (_S.RUNNING, _E.WAIT): _S.WAITING,
    (_S.WAITING, _E.WAKE): _S.QUEUED,
    (_S.RUNNING, _E.COMPLETE): _S.COMPLETED,
    (_S.QUEUED, _E.COMPLETE): _S.COMPLETED,  # proof of an earlier send arrived while the export was on its way back
    (_S.WAITING, _E.COMPLETE): _S.COMPLETED,  # proof of a doubtful or silent send arrived in time
    (_S.FAILED, _E.COMPLETE): _S.COMPLETED,  # proof arrived after it failed with delivery_unknown, and only then
    (_S.RUNNING, _E.FAIL): _S.FAILED,
    (_S.QUEUED, _E.FAIL): _S.FAILED,  # claimed too often without getting further
    (_S.WAITING, _E.FAIL): _S.FAILED,
    (_S.QUEUED, _E.CANCEL): _S.CANCELLED,
    (_S.RUNNING, _E.CANCEL): _S.CANCELLED,
    (_S.WAITING, _E.CANCEL): _S.CANCELLED,
    (_S.QUEUED, _E.CALL_OFF): _S.COMPLETED,
    (_S.RUNNING, _E.CALL_OFF): _S.COMPLETED,
    (_S.WAITING, _E.CALL_OFF): _S.COMPLETED,
    (_S.FAILED, _E.REDRIVE): _S.QUEUED,
    (_S.COMPLETED, _E.RESEND): _S.QUEUED,
    (_S.FAILED, _E.RESEND): _S.QUEUED,  # the file is there, only its mail failed
}


class Evidence(StrEnum):
    """What is known about one send, from the answer (or its absence)."""

    ACCEPTED = "accepted"  # exactly 202
    REFUSED = "refused"  # proven not accepted
    DOUBTFUL = "doubtful"  # an answer that proves nothing: 500, 502, 504, other
    SILENT = "silent"  # no answer after the last byte


class Delivery(StrEnum):
    """What became of a mail, as far as the mail service told us. Later members win over earlier ones."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced"


class Owed(StrEnum):
    """What a failed export still owes to others; the sweeper pays what a dead worker could not."""

    DEAD_LETTER = "dead_letter"  # a copy of the message in the dead letter queue
    FAILURE_MAIL = "failure_mail"  # a mail that tells the user


class Happened(StrEnum):
    """What the timeline of an export tells; the detail of each stands behind it."""

    CLAIMED = "claimed"  # by a worker: the fencing token
    PAGES = "pages"  # how many are fetched
    WALK_AGAIN = "walk_again"  # the fetch began anew: the number of the walk
    FETCHED = "fetched"  # all pages: the rows
    RENDERED = "rendered"  # the file: its bytes
    SENDING = "sending"  # the number of the send
    EVIDENCE = "evidence"  # the number of the send, and what it proved
    DELIVERY = "delivery"  # the number of the send, and what the mail service told of it
    WAITING = "waiting"  # the code of what it waits for
    RETRIED = "retried"  # an operator brought the next try forward
    STOPPED = "stopped"  # the worker, in good order
    COMPLETED = "completed"
    FAILED = "failed"  # the code of the failure
    CANCELLED = "cancelled"
    RESENT = "resent"
    REDRIVEN = "redriven"
    FILE_GONE = "file_gone"
    DOWNLOADED = "downloaded"  # how: token or link


class Entry(Struct, frozen=True, array_like=True):
    """One thing that happened. Stored as a short array: a record on AWS is paid for by the kilobyte."""

    after: int  # milliseconds since the export was requested
    what: Happened
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's right to change the export; `owner` is random for each claim, and may begin with a process."""

    owner: str
    until: datetime

    @property
    def process(self) -> str | None:
        """The process whose death ends the lease early; None where nobody could tell that it died."""
        return self.owner.rpartition(".")[0] or None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """The finished file: its key in the file store, and what the user needs to check it."""

    key: str
    name: str
    rows: int
    bytes: int
    sha256: str
    expires_at: datetime
    guarded: int = 0  # cells with an apostrophe in front
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One attempt to mail the file. Written before the first byte leaves; `evidence` is None until we know more."""

    number: int
    mailing: int  # which mailing it belongs to: 1, then one more for each resend on purpose
    started_at: datetime
    as_link: bool = False
    possible_duplicate: bool = False
    evidence: Evidence | None = None
    message_id: str | None = None
    delivery: Delivery | None = None
    detail: str | None = None  # why it was refused or bounced


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What a waiting export waits for. `count` and `since` start again whenever the export gets further.

    `same_since` starts again with another code, too; None (in an older record): as long as `since`.
    """

    code: str
    reason: str
    since: datetime
    count: int
    same_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a failed export failed, for the user and the operator."""

    stage: Stage
    code: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One export: the record that decides everything. Times are aware UTC datetimes."""

    export_id: str
    user_id: str
    email: str  # where mails go; the newest verified one, until one was sent
    requested_at: datetime
    options: Options = Options()
    member_id: str | None = None  # the memberships API's own id of the user, where that was looked up
    status: ExportStatus = ExportStatus.QUEUED
    stage: Stage = Stage.FETCH
    revision: str = ""  # random, new with every write: the store's condition for the next write
    token: int = 0  # fencing token: one higher with each claim
    lease: Lease | None = None
    claims: int = 0
    stalled_claims: int = 0  # claims since the export last got further or waited in good order
    nudges: int = 0  # visits of the sweeper since the last claim: each waits longer than the one before
    progress: Progress = Progress()
    profile: str | None = None  # fingerprint of the profile it goes by; None: our own contract, or not chosen yet
    file: StoredFile | None = None
    mailing: int = 1
    link_generation: int = 1  # raising it revokes every download link mailed so far
    always_link: bool = False  # the attachment was refused as too large
    sends: tuple[Send, ...] = ()
    trouble: Trouble | None = None
    failure: Failure | None = None
    owed: tuple[Owed, ...] = ()
    earlier_emails: tuple[str, ...] = ()  # addresses it had before; messages in the queue may still name them
    failure_mails: int = 0  # tries to tell the user of the failure
    told: str | None = None  # code of the failure that the user was told of last
    started_at: datetime | None = None  # first claimed, since it was asked for, redriven or resent
    finished_at: datetime | None = None
    files_until: datetime | None = None  # when the sweeper deletes parts and CSV; None: nothing stored
    expires_at: datetime | None = None  # when the sweeper deletes the record
    wake_at: datetime | None = None  # when the sweeper has to look at it
    request_id: str | None = None  # of the request, or the message, that it was made by
    timeline: tuple[Entry, ...] = ()  # what happened, oldest first; see timeline.py

    @property
    def unfinished(self) -> bool:
        """True while the export should still be moving."""
        return self.status in UNFINISHED

    @property
    def status_text(self) -> str:
        """The status in words for members."""
        return STATUS_TEXT[self.status]

    @property
    def options_key(self) -> str:
        """What makes two wishes of one user the same wish: a user has one unfinished export for each."""
        return self.options.key

    @property
    def current_sends(self) -> tuple[Send, ...]:
        """The sends since the last resend, oldest first: those of earlier mailings decide nothing any more."""
        return tuple(send for send in self.sends if send.mailing == self.mailing)

    @property
    def delivery(self) -> Delivery | None:
        """What became of the current mailing: delivered if any of its sends was, else what the last one shows."""
        known = [send.delivery for send in self.current_sends if send.delivery]
        return Delivery.DELIVERED if Delivery.DELIVERED in known else (known[-1] if known else None)


def new_message_ids(old: Export, new: Export) -> list[str]:
    """Return the message ids, each once, that sends of `new` have and none of `old` has."""
    known = {send.message_id for send in old.sends}
    return list(
        dict.fromkeys(send.message_id for send in new.sends if send.message_id and send.message_id not in known)
    )
