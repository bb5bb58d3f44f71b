"""What the sweeper does with an export: it wakes it, puts it off, settles what it owes, and clears away what expired.

Pure functions from one record to the next.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from memberships_export.domain.errors import (
    IllegalTransition,
)
from memberships_export.domain.export.lifecycle import move
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import (
    Event,
    Export,
    ExportStatus,
    Owed,
    Stage,
)
from memberships_export.domain.source.progress import Progress

_REST = timedelta(minutes=1)

_WHAT_ELSE = {
    ExportStatus.FAILED: " Put a failed one back on its way with: memberships-export dlq redrive",
    ExportStatus.COMPLETED: " Mail its file again with: memberships-export exports resend",
}


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


def tried_sooner(export: Export, now: datetime, policy: Policy) -> Export:
    """Let a waiting export be tried now, whatever it waits for. Raises IllegalTransition for any other."""
    if export.status is not ExportStatus.WAITING:
        reason = f"Export {export.export_id} is {export.status}: only one that waits can be brought forward."
        raise IllegalTransition(f"{reason}{_WHAT_ELSE.get(export.status, '')}")
    return replace(move(export, Event.WAKE), nudges=0, wake_at=now + policy.nudge_after)


def put_off(export: Export, now: datetime, policy: Policy) -> Export:
    """Let the sweeper look at it again: with its next pass, behind all that is due, and then ever later."""
    pause = policy.nudge_after * 2 ** min(export.nudges - 1, 16) if export.nudges else timedelta(0)
    return replace(export, nudges=export.nudges + 1, wake_at=now + min(pause, policy.longest_back_off))


def left_alone(export: Export, now: datetime, policy: Policy) -> Export:
    """Let no other sweeper visit it for a while: somebody is at it."""
    return replace(export, wake_at=now + policy.longest_back_off)


def rested(export: Export, now: datetime) -> Export:
    """Look at it again in a minute: the service is paused, and who waits for its end must not wait much longer."""
    return replace(export, wake_at=now + _REST)


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
