"""Every way an export can change: pure functions from one record to the next.

Each takes the record as it is and returns the record as it should be written; the store writes it only if nobody else
wrote in between. Functions for a worker take a `Holder` and refuse with `LeaseLost` when its fencing token is stale.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from memberships_export.domain.errors import (
    ExportError,
    FileDamaged,
    FileMissing,
    IllegalTransition,
    LeaseLost,
    NoProgress,
    NotNow,
)
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import (
    TRANSITIONS,
    Event,
    Evidence,
    Export,
    ExportStatus,
    Failure,
    Lease,
    Owed,
    Stage,
    StoredFile,
    Trouble,
)
from memberships_export.domain.source.progress import Progress

_FETCHED_ANEW = "The memberships had to be fetched anew, because pages stored before were lost or damaged."
_MOST_EARLIER_EMAILS = 5  # more changes than that while one message waits are no user's


@dataclass(frozen=True, slots=True)
class Holder:
    """Who writes, and when: the fencing token of a claim, the time now and the policy in force."""

    token: int
    now: datetime
    policy: Policy


def move(export: Export, event: Event) -> Export:
    """Apply an event of the transition table: the status changes, nothing else.

    Raises IllegalTransition when the status does not allow it.
    """
    status = TRANSITIONS.get((export.status, event))
    if status is None:
        reason = f"Export {export.export_id} is {export.status}: {event} is not possible."
        raise IllegalTransition(reason)
    return replace(export, status=status)


def lease_is_live(export: Export, now: datetime) -> bool:
    """Tell whether a worker that may still be alive holds the export."""
    return export.status is ExportStatus.RUNNING and export.lease is not None and now < export.lease.until


def claim(export: Export, owner: str, now: datetime, policy: Policy) -> Export:
    """Take the lease under the next fencing token. Raises IllegalTransition for a finished export.

    Returns the record unchanged when `owner` holds it already (the answer to our own write was lost). Raises NotNow
    while another worker is alive or the export waits, and NoProgress after `policy.max_stalled_claims` claims that led
    nowhere.
    """
    if export.lease and export.lease.owner == owner:
        return export
    if export.lease and lease_is_live(export, now):
        raise NotNow(export.lease.until)
    if export.status is ExportStatus.WAITING and export.wake_at and now < export.wake_at:
        raise NotNow(export.wake_at)
    claimed = move(export, Event.CLAIM)
    if export.stalled_claims >= policy.max_stalled_claims:
        last = f" The last trouble: {export.trouble.reason}" if export.trouble else ""
        reason = f"{export.stalled_claims} workers in a row got no further at step {export.stage}.{last}"
        raise NoProgress(reason)
    lease = Lease(owner=owner, until=now + policy.lease)
    return replace(
        claimed,
        lease=lease,
        token=export.token + 1,
        claims=export.claims + 1,
        stalled_claims=export.stalled_claims + 1,
        nudges=0,
        started_at=export.started_at or now,
        wake_at=lease.until,
    )


def heartbeat(export: Export, holder: Holder) -> Export:
    """Renew the lease, nothing else."""
    held = _held(export, holder)
    assert held.lease is not None  # noqa: S101  (a running export has one; see claim)
    until = holder.now + holder.policy.lease
    return replace(move(held, Event.CHECKPOINT), lease=replace(held.lease, until=until), wake_at=until)


def page_fetched(export: Export, holder: Holder, progress: Progress) -> Export:
    """Checkpoint one page; without a next cursor the fetch is over."""
    stage = Stage.FETCH if progress.cursor else Stage.RENDER
    return replace(_got_further(export, holder), progress=progress, stage=stage)


def rendered(export: Export, holder: Holder, file: StoredFile) -> Export:
    """Point the record to the finished CSV."""
    return replace(_got_further(export, holder), file=file, stage=Stage.DELIVER)


def render_again(export: Export, holder: Holder, error: FileMissing) -> Export:
    """Forget a file that is lost or damaged: the parts are still there."""
    return replace(_missing(export, holder, error), file=None, stage=Stage.RENDER)


def fetch_again(export: Export, holder: Holder, error: FileMissing) -> Export:
    """Start the fetch over because a part is lost or damaged. The pages of two walks are never mixed."""
    progress = Progress(walk=export.progress.walk + 1)
    return replace(_missing(export, holder, error), progress=progress, stage=Stage.FETCH)


def link_only(export: Export, holder: Holder) -> Export:
    """Mail a link from here on: the attachment was refused as too large."""
    return replace(heartbeat(export, holder), always_link=True)


def abandoned(export: Export, now: datetime) -> Export:
    """End the lease of a process that is known to be dead: the sweeper has to look at the export now."""
    assert export.lease is not None  # noqa: S101  (it is what names that process)
    return replace(export, lease=replace(export.lease, until=now), wake_at=now)


def clock_set_back(export: Export, written_at: datetime, now: datetime) -> Export:
    """Begin anew, by a clock that was set back, whatever wait began at `written_at`, which is later than now.

    Times that have not come yet become now, so that each wait lasts as long as it was meant to, and no longer.
    """
    wait = max(export.wake_at - written_at, timedelta(0)) if export.wake_at else timedelta(0)
    trouble = export.trouble and replace(
        export.trouble,
        since=min(export.trouble.since, now),
        same_since=min(export.trouble.same_since, now) if export.trouble.same_since else None,
    )
    sends = tuple(replace(send, started_at=min(send.started_at, now)) for send in export.sends)
    return replace(export, wake_at=now + wait, trouble=trouble, sends=sends)


def yield_back(export: Export, holder: Holder) -> Export:
    """Stop in good order: what is done is done, the next worker goes on from here."""
    return replace(run_out(export, holder), stalled_claims=max(export.stalled_claims - 1, 0))


def run_out(export: Export, holder: Holder) -> Export:
    """Stop in a step that begins anew: this does count as a stalled claim, so that it does not go on for ever."""
    stopped = move(_held(export, holder), Event.YIELD)
    return replace(stopped, lease=None, wake_at=holder.now + holder.policy.nudge_after)


def wait(export: Export, holder: Holder, trouble: Trouble, until: datetime) -> Export:
    """Park the export until `until`. Waiting in good order is not a stalled claim."""
    parked = move(_held(export, holder), Event.WAIT)
    return replace(parked, lease=None, stalled_claims=0, trouble=trouble, wake_at=until)


def stumble(export: Export, holder: Holder, trouble: Trouble, until: datetime) -> Export:
    """Park the export after an error nobody foresaw: this does count as a stalled claim."""
    return replace(wait(export, holder, trouble, until), stalled_claims=export.stalled_claims)


def fail(export: Export, error: ExportError, now: datetime, policy: Policy) -> Export:
    """End in failure with the reason on the record; a dead letter and a mail to the user are owed from here on.

    No mail when the user was told of the same failure before: an export that is redriven too early fails again.
    """
    failure = Failure(stage=export.stage, code=error.code, reason=_why(export, error), at=now)
    return replace(
        move(export, Event.FAIL),
        lease=None,
        failure=failure,
        owed=(Owed.DEAD_LETTER,) if error.code == export.told else (Owed.DEAD_LETTER, Owed.FAILURE_MAIL),
        finished_at=now,
        files_until=now + policy.keep_files,
        expires_at=now + policy.keep_records,
        wake_at=now + policy.nudge_after,
    )


def fail_held(export: Export, holder: Holder, error: ExportError) -> Export:
    """Do what `fail` does, but only while the worker's lease holds."""
    return fail(_held(export, holder), error, holder.now, holder.policy)


def cancel(export: Export, now: datetime, policy: Policy) -> Export:
    """Stop it; a worker under way notices at its next write. Files go once that worker must have noticed.

    An export that brought its file before, and is being mailed again, is only not mailed again.
    """
    if export.unfinished and (delivered := _last_accepted(export)) is not None:
        return replace(_finished(move(export, Event.CALL_OFF), now, policy), mailing=delivered)
    return replace(
        move(export, Event.CANCEL),
        lease=None,
        trouble=None,
        link_generation=export.link_generation + 1,
        finished_at=now,
        files_until=now + policy.lease,
        expires_at=now + policy.keep_records,
        wake_at=now + policy.lease,
    )


def complete(export: Export, now: datetime, policy: Policy) -> Export:
    """End well: the mail was accepted. The file is kept until the time that the mail names."""
    return _finished(move(export, Event.COMPLETE), now, policy)


def readdress(export: Export, email: str) -> Export:
    """Send it to this verified address of the same user instead, as long as nothing was sent in this mailing."""
    if export.email == email or not export.unfinished or export.current_sends:
        return export
    return replace(export, email=email, earlier_emails=_earlier(export, email))


def redrive(export: Export, now: datetime, policy: Policy) -> Export:
    """Put a failed export back on its way, from its last checkpoint."""
    return _fresh_start(move(export, Event.REDRIVE), now, policy)


def resend(export: Export, email: str, now: datetime, policy: Policy) -> Export:
    """Mail the stored file again on purpose, to this address; links mailed before stop working."""
    if export.file is None or export.file.deleted:
        reason = f"Export {export.export_id} has no stored file to mail: ask for a new export."
        raise IllegalTransition(reason)
    return replace(
        _fresh_start(move(export, Event.RESEND), now, policy),
        stage=Stage.DELIVER,
        email=email,
        earlier_emails=_earlier(export, email),
        mailing=max(export.mailing, *(send.mailing for send in export.sends), 0) + 1,
        link_generation=export.link_generation + 1,
        told=None,
    )


def paid(export: Export, owed: Owed, now: datetime, policy: Policy) -> Export:
    """Note that one debt of a failed export is settled. Raises IllegalTransition when it was settled before."""
    if owed not in export.owed:
        reason = f"Export {export.export_id} owes no {owed} any more."
        raise IllegalTransition(reason)
    rest = tuple(debt for debt in export.owed if debt is not owed)
    wake_at = now + policy.nudge_after if rest else export.files_until
    if owed is not Owed.FAILURE_MAIL:
        return replace(export, owed=rest, wake_at=wake_at)
    told = export.failure.code if export.failure else export.told
    return replace(export, owed=rest, told=told, failure_mails=export.failure_mails + 1, wake_at=wake_at)


def owed_again(export: Export, now: datetime, policy: Policy) -> Export:
    """Put the mail about the failure back among the debts: it certainly did not leave. So often, and no more."""
    if export.failure_mails >= policy.max_stalled_claims or Owed.FAILURE_MAIL in export.owed:
        return replace(export, told=None)
    pause = policy.first_back_off * 2**export.failure_mails
    return replace(export, owed=(*export.owed, Owed.FAILURE_MAIL), told=None, wake_at=now + pause)


def nudged(export: Export, now: datetime, policy: Policy) -> Export:
    """Note that the sweeper sends its message again; the pause doubles, so a long backlog is not flooded."""
    awake = move(export, Event.WAKE) if export.status is ExportStatus.WAITING else export
    pause = policy.nudge_after * 2 ** min(export.nudges, 5)
    return replace(awake, nudges=export.nudges + 1, wake_at=now + pause)


def put_off(export: Export, now: datetime, policy: Policy) -> Export:
    """Let the sweeper look at it again: with its next pass, behind all that is due, and then ever later."""
    pause = policy.nudge_after * 2 ** min(export.nudges - 1, 16) if export.nudges else timedelta(0)
    return replace(export, nudges=export.nudges + 1, wake_at=now + min(pause, policy.longest_back_off))


def left_alone(export: Export, now: datetime, policy: Policy) -> Export:
    """Let no other sweeper visit it for a while: somebody is at it."""
    return replace(export, wake_at=now + policy.longest_back_off)


def files_going(export: Export, now: datetime, policy: Policy) -> Export:
    """Note that the files are about to be deleted; `files_until` stays until they are, for another try later."""
    file = replace(export.file, deleted=True) if export.file else None
    return left_alone(replace(export, file=file), now, policy)


def files_deleted(export: Export) -> Export:
    """Note that parts and CSV are gone. What was fetched must be fetched again if it is ever redriven."""
    file = replace(export.file, deleted=True) if export.file else None
    gone = replace(export, file=file, files_until=None, nudges=0, wake_at=export.expires_at)
    if export.status is ExportStatus.COMPLETED:
        return gone
    return replace(gone, file=None, progress=Progress(), stage=Stage.FETCH)


def next_trouble(export: Export, error: ExportError, now: datetime) -> Trouble:
    """Count this trouble onto the ones since the export last got further.

    Not onto a file that was missing: that one is remembered although the export got further.
    """
    before = export.trouble if isinstance(error, FileMissing) or not misses_files(export) else None
    since, count = (before.since, before.count) if before else (now, 0)
    same_since = (before.same_since or since) if before and before.code == error.code else now
    return Trouble(code=error.code, reason=error.reason, since=since, count=count + 1, same_since=same_since)


def _held(export: Export, holder: Holder) -> Export:
    if export.status is not ExportStatus.RUNNING or export.token != holder.token:
        reason = f"Export {export.export_id} is {export.status} under token {export.token}, not {holder.token}."
        raise LeaseLost(reason)
    return export


def misses_files(export: Export) -> bool:
    """Tell whether a file of it was lost or damaged, and has not been read since."""
    return export.trouble is not None and export.trouble.code in {FileMissing.code, FileDamaged.code}


def _why(export: Export, error: ExportError) -> str:
    anew = export.stage is Stage.FETCH and export.progress.walk > 0
    return f"{error.reason} {_FETCHED_ANEW}" if anew else error.reason


def _missing(export: Export, holder: Holder, error: FileMissing) -> Export:
    trouble = export.trouble if misses_files(export) else next_trouble(export, error, holder.now)
    return replace(heartbeat(export, holder), trouble=trouble)


def _got_further(export: Export, holder: Holder) -> Export:
    # A file that was missing is not forgotten: making it anew is no progress if it is then missing again.
    trouble = export.trouble if misses_files(export) else None
    return replace(heartbeat(export, holder), stalled_claims=0, trouble=trouble)


def _finished(export: Export, now: datetime, policy: Policy) -> Export:
    until = export.file.expires_at if export.file else now + policy.keep_files
    return replace(
        export,
        lease=None,
        trouble=None,
        failure=None,
        owed=(),
        finished_at=now,
        files_until=until,
        expires_at=max(until, now + policy.keep_records),
        wake_at=until,
    )


def _earlier(export: Export, email: str) -> tuple[str, ...]:
    known = (*export.earlier_emails, export.email)
    return tuple(dict.fromkeys(old for old in known if old != email))[-_MOST_EARLIER_EMAILS:]


def _last_accepted(export: Export) -> int | None:
    """Return the newest mailing that was accepted; None when none was."""
    return max((send.mailing for send in export.sends if send.evidence is Evidence.ACCEPTED), default=None)


def _fresh_start(export: Export, now: datetime, policy: Policy) -> Export:
    return replace(
        export,
        started_at=None,
        lease=None,
        stalled_claims=0,
        nudges=0,
        trouble=None,
        failure=None,
        owed=(),
        failure_mails=0,
        finished_at=None,
        files_until=None,
        expires_at=None,
        wake_at=now + policy.nudge_after,
    )
