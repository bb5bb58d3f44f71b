"""Every way an export can change, but for what a worker does with one it holds, and the upkeep of the sweeper.

Pure functions from one record to the next: each takes the record as it is and returns the record as it should be
written; the store writes it only if nobody else wrote in between.
"""

from dataclasses import replace
from datetime import datetime

from memberships_export.domain.errors import (
    ExportError,
    FileDamaged,
    FileMissing,
    IllegalTransition,
)
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import (
    TRANSITIONS,
    Event,
    Evidence,
    Export,
    ExportStatus,
    Failure,
    Owed,
    Stage,
    Trouble,
)

_FETCHED_ANEW = "The memberships had to be fetched anew, because pages stored before were lost or damaged."
_MOST_EARLIER_EMAILS = 5  # more changes than that while one message waits are no user's


def move(export: Export, event: Event) -> Export:
    """Apply an event of the transition table: the status changes, nothing else.

    Raises IllegalTransition when the status does not allow it.
    """
    status = TRANSITIONS.get((export.status, event))
    if status is None:
        reason = f"Export {export.export_id} is {export.status}: {event} is not possible."
        raise IllegalTransition(reason)
    return export if status is export.status else replace(export, status=status)


def lease_is_live(export: Export, now: datetime) -> bool:
    """Tell whether a worker that may still be alive holds the export."""
    return export.status is ExportStatus.RUNNING and export.lease is not None and now < export.lease.until


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
        mailing=max([export.mailing, *(send.mailing for send in export.sends)]) + 1,
        link_generation=export.link_generation + 1,
        told=None,
    )


def next_trouble(export: Export, error: ExportError, now: datetime) -> Trouble:
    """Count this trouble onto the ones since the export last got further.

    Not onto a file that was missing: that one is remembered although the export got further.
    """
    before = export.trouble if isinstance(error, FileMissing) or not misses_files(export) else None
    since, count = (before.since, before.count) if before else (now, 0)
    same_since = (before.same_since or since) if before and before.code == error.code else now
    return Trouble(code=error.code, reason=error.reason, since=since, count=count + 1, same_since=same_since)


def misses_files(export: Export) -> bool:
    """Tell whether a file of it was lost or damaged, and has not been read since."""
    return export.trouble is not None and export.trouble.code in {FileMissing.code, FileDamaged.code}


def _why(export: Export, error: ExportError) -> str:
    anew = export.stage is Stage.FETCH and export.progress.walk > export.progress.restarts
    return f"{error.reason} {_FETCHED_ANEW}" if anew else error.reason


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
