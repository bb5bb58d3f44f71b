"""After an error: wait and try again, or give up. Pure decisions."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from memberships_export.domain.errors import GaveUpWaiting, TransientError
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Trouble

# By receive: soon at first, and then so seldom that five receives outlast a long outage.
_BACK_IN = (60.0, 600.0, 5_400.0, 21_600.0)


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Try again then."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUpWith:
    """Do not try again: fail with this error."""

    error: GaveUpWaiting


def plan(
    error: TransientError, trouble: Trouble, now: datetime, policy: Policy, jitter: float
) -> WaitUntil | GiveUpWith:
    """Decide when to try again after `trouble.count` troubles in a row.

    The pause doubles from `first_back_off` up to `longest_back_off`; `jitter` (0 to 1) takes off up to half of it, so
    that exports which failed together do not come back together. What the other side asked for in Retry-After is a
    lower bound. After `give_up_after` of unbroken trouble the answer is to give up.
    """
    over_at = trouble.since + policy.give_up_after
    if now >= over_at:
        hours = policy.give_up_after / timedelta(hours=1)
        return GiveUpWith(GaveUpWaiting(f"Tried for {hours:g} hours. The last trouble: {error.reason}"))
    pause = min(policy.first_back_off * 2 ** min(trouble.count - 1, 16), policy.longest_back_off)
    pause *= 1 - jitter / 2
    asked = timedelta(seconds=error.retry_after or 0)
    return WaitUntil(min(now + max(pause, asked), over_at))


def back_in(receive_count: int) -> float | None:
    """Return the seconds until a message whose record cannot be reached should be read again.

    `receive_count`: from 1. None after the last: the queue makes a dead letter of it.
    """
    return _BACK_IN[receive_count - 1] if receive_count <= len(_BACK_IN) else None
