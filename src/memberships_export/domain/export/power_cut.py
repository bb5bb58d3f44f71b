"""Which change of a record need not wait for the disk, because whoever comes after a power cut does the same again."""

from dataclasses import replace

from memberships_export.domain.export.record import Export, Happened

_DONE_AGAIN = (
    "revision",
    "status",  # that a worker has it, or that its time has come: all other changes of status change more than this
    "stage",
    "lease",
    "token",
    "claims",
    "stalled_claims",
    "nudges",
    "progress",
    "started_at",
    "wake_at",
    "timeline",
)
_OF_NO_CONSEQUENCE = frozenset({Happened.CLAIMED, Happened.PAGES, Happened.WALK_AGAIN, Happened.FETCHED})


def may_be_lost(old: Export, new: Export) -> bool:
    """Tell whether a power cut may take this change back: claims, checkpoints, heartbeats and visits of the sweeper.

    A power cut ends every process, and takes all records back to one moment. What it takes away must not be relied on
    by anybody outside: not by a user or an operator who was answered, not by a mail, not by a file, and not by parts
    that were stored by another profile. So every change is durable, unless it is nothing but these.
    """
    if any(entry.what not in _OF_NO_CONSEQUENCE for entry in new.timeline if entry not in old.timeline):
        return False
    return replace(new, **{name: getattr(old, name) for name in _DONE_AGAIN}) == old
