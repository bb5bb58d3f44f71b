"""How often in an hour: a pure rule for whatever is limited."""

from collections.abc import Iterable
from datetime import datetime, timedelta

_HOUR = timedelta(hours=1)


def seconds_to_wait(times: Iterable[datetime], now: datetime, limit: int) -> float | None:
    """Return the seconds until there may be one more; None: now. At most `limit` of `times` are within an hour."""
    within = sorted(at for at in times if now - at < _HOUR)
    return None if len(within) < limit else (within[0] + _HOUR - now).total_seconds()
