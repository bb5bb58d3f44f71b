"""What the sweeper should do with an export whose wake time has passed. A pure decision."""

from datetime import datetime
from enum import StrEnum

from memberships_export.domain.export.lifecycle import lease_is_live
from memberships_export.domain.export.record import Export, ExportStatus

_BELIEVED = 6  # looks at an export in a row, about ten minutes


class SweepAction(StrEnum):
    """One thing the sweeper does."""

    NOTHING = "nothing"
    NUDGE = "nudge"  # send the message again: it should be moving and is not
    LEAVE_QUEUED = "leave_queued"  # no nudge: its message is in the queue, and other work comes before it
    REST = "rest"  # neither: the service is paused, nobody works and nothing is mailed
    SETTLE = "settle"  # pay what a failed export still owes
    DELETE_FILES = "delete_files"
    DELETE_RECORD = "delete_record"


def sweep_action(export: Export, now: datetime) -> SweepAction:
    """Decide by the record alone; being asked too early or twice is harmless."""
    if export.wake_at is None or now < export.wake_at:
        return SweepAction.NOTHING
    if export.unfinished:
        return SweepAction.NOTHING if lease_is_live(export, now) else SweepAction.NUDGE
    if export.owed:
        return SweepAction.SETTLE
    if export.files_until is not None:
        return SweepAction.DELETE_FILES if now >= export.files_until else SweepAction.NOTHING
    expired = export.expires_at is not None and now >= export.expires_at
    return SweepAction.DELETE_RECORD if expired else SweepAction.NOTHING


def only_queued(export: Export, *, holds: bool | None) -> bool:
    """Tell whether a due export stands still only because its message waits for its turn: another would not help.

    `holds`: whether that message waits in the queue. None: some messages do, which explains it for a while only, and
    not when no message of it was sent since it last moved.
    """
    if holds is None:
        return export.status is ExportStatus.QUEUED and export.nudges < _BELIEVED
    return holds
