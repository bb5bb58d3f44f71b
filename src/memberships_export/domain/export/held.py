"""What a worker does with an export: it takes the lease, gets further, stops or fails, under its fencing token.

Pure functions from one record to the next. They take a `Holder` and refuse with `LeaseLost` when its token is stale.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from memberships_export.domain.errors import (
    ExportError,
    FileMissing,
    LeaseLost,
    NoProgress,
    NotNow,
)
from memberships_export.domain.export.lifecycle import fail, lease_is_live, misses_files, move, next_trouble
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import (
    Event,
    Export,
    ExportStatus,
    Lease,
    Stage,
    StoredFile,
    Trouble,
)
from memberships_export.domain.source.progress import Progress


@dataclass(frozen=True, slots=True)
class Holder:
    """Who writes, and when: the fencing token of a claim, the time now and the policy in force."""

    token: int
    now: datetime
    policy: Policy


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


def goes_by(export: Export, holder: Holder, profile: str | None) -> Export:
    """Note the profile by which its pages are asked for and read."""
    return replace(_held(export, holder), profile=profile)


def known_there_as(export: Export, holder: Holder, member_id: str) -> Export:
    """Note by which id the memberships API knows the user: a later address does not change whose rows are asked for."""
    return replace(_held(export, holder), member_id=member_id)


def page_fetched(export: Export, holder: Holder, progress: Progress) -> Export:
    """Checkpoint one page; with the last one, which has a grade, the fetch is over."""
    stage = Stage.RENDER if progress.grade else Stage.FETCH
    return replace(_got_further(export, holder), progress=progress, stage=stage)


def rendered(export: Export, holder: Holder, file: StoredFile) -> Export:
    """Point the record to the finished file."""
    return replace(_got_further(export, holder), file=file, stage=Stage.DELIVER)


def render_again(export: Export, holder: Holder, error: FileMissing) -> Export:
    """Forget a file that is lost or damaged: what its pages became is joined again."""
    return replace(_missing(export, holder, error), file=None, stage=Stage.RENDER)


def fetch_again(export: Export, holder: Holder, error: FileMissing) -> Export:
    """Start the fetch over because a part is lost or damaged. The pages of two walks are never mixed."""
    progress = Progress(walk=export.progress.walk + 1)
    return replace(_missing(export, holder, error), progress=progress, stage=Stage.FETCH)


def fetch_anew(export: Export, holder: Holder) -> Export:
    """Start the fetch over for a file that is gone, of an only page that was never stored apart from it."""
    progress = Progress(walk=export.progress.walk + 1)
    return replace(heartbeat(export, holder), progress=progress, stage=Stage.FETCH)


def walk_again(export: Export, holder: Holder) -> Export:
    """Start the walk over because its pages do not go together. The pages of two walks are never mixed."""
    walk, restarts = export.progress.walk + 1, export.progress.restarts + 1
    return replace(heartbeat(export, holder), progress=Progress(walk=walk, restarts=restarts))


def by_another_profile(export: Export, holder: Holder, profile: str | None) -> Export:
    """Start the walk over by this profile: the one the export went by is gone, with its pages."""
    return replace(
        heartbeat(export, holder), progress=Progress(walk=export.progress.walk + 1), profile=profile, member_id=None
    )


def link_only(export: Export, holder: Holder) -> Export:
    """Mail a link from here on: the attachment was refused as too large."""
    return replace(heartbeat(export, holder), always_link=True)


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


def fail_held(export: Export, holder: Holder, error: ExportError) -> Export:
    """Do what `fail` does, but only while the worker's lease holds."""
    return fail(_held(export, holder), error, holder.now, holder.policy)


def _held(export: Export, holder: Holder) -> Export:
    if export.status is not ExportStatus.RUNNING:
        reason = f"Export {export.export_id} is {export.status} meanwhile."
        raise LeaseLost(reason)
    if export.token != holder.token:
        reason = f"Export {export.export_id} was taken over: its token is {export.token}, not {holder.token}."
        raise LeaseLost(reason)
    return export


def _missing(export: Export, holder: Holder, error: FileMissing) -> Export:
    trouble = export.trouble if misses_files(export) else next_trouble(export, error, holder.now)
    return replace(heartbeat(export, holder), trouble=trouble)


def _got_further(export: Export, holder: Holder) -> Export:
    # A file that was missing is not forgotten: making it anew is no progress if it is then missing again.
    trouble = export.trouble if misses_files(export) else None
    return replace(heartbeat(export, holder), stalled_claims=0, trouble=trouble)
