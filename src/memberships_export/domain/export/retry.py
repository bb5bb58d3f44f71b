"""After an error: wait and try again, or give up. Pure decisions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from memberships_export.domain.errors import (
    GaveUpWaiting,
    MembershipsContractBroken,
    MembershipsCutShort,
    MembershipsRefused,
    PermanentError,
    StillRefused,
    TransientError,
)
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Trouble

# By receive: soon at first, and then so seldom that five receives outlast a long outage.
_BACK_IN = (60.0, 600.0, 5_400.0, 21_600.0)

# What may pass, but will not by waiting alone, is tried for `refused_for` only; and what it was then.
_MAY_LAST: Mapping[type[TransientError], type[PermanentError]] = {
    MembershipsRefused: StillRefused,
    MembershipsCutShort: MembershipsContractBroken,  # the connection broke now and then, but not every time
}


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """The error may pass: the export waits until `at`."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUpWith:
    """Do not try again: fail with this error."""

    error: PermanentError


def plan(
    error: TransientError, trouble: Trouble, now: datetime, policy: Policy, jitter: float
) -> WaitUntil | GiveUpWith:
    """Decide when to try again after `trouble.count` troubles in a row.

    The pause doubles from `first_back_off` up to `longest_back_off`; `jitter` (0 to 1) takes off up to half of it, so
    that exports which failed together do not come back together. What the other side asked for in Retry-After is a
    lower bound. After `give_up_after` of unbroken trouble the answer is to give up, and after `refused_for` of the same
    one if it may last.
    """
    over_at = trouble.since + policy.give_up_after
    if type(error) in _MAY_LAST:
        over_at = min(over_at, (trouble.same_since or trouble.since) + policy.refused_for)
    if now >= over_at:
        return GiveUpWith(_given_up(error, trouble, over_at))
    pause = min(policy.first_back_off * 2 ** min(trouble.count - 1, 16), policy.longest_back_off)
    pause *= 1 - jitter / 2
    asked = timedelta(seconds=error.retry_after or 0)
    return WaitUntil(min(now + max(pause, asked), over_at))


def _given_up(error: TransientError, trouble: Trouble, over_at: datetime) -> PermanentError:
    minutes = (over_at - trouble.since) / timedelta(minutes=1)
    tried = f"{minutes / 60:g} hours" if minutes >= 2 * 60 else f"{minutes:g} minutes"
    final = _MAY_LAST.get(type(error), GaveUpWaiting)
    return final(f"Tried for {tried}. The last trouble: {error.reason}")


def back_in(receive_count: int) -> float | None:
    """Return the seconds until a message whose record cannot be reached should be read again.

    `receive_count`: from 1. None after the last: the queue makes a dead letter of it.
    """
    return _BACK_IN[receive_count - 1] if receive_count <= len(_BACK_IN) else None
