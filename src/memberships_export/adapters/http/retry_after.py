"""How long the other side asks us to stay away."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_A_DAY = 86_400.0  # seconds
# No API asks for 30 years. Some send the time until when, in seconds or milliseconds since 1970.
_EPOCH, _EPOCH_MS = 1e9, 1e11


def retry_after(header: str | None, now: datetime) -> float | None:
    """Read a Retry-After header, seconds, date or time since 1970, as seconds from now: at least 0, at most a day."""
    text = (header or "").strip()
    if text.isascii() and text.isdecimal():
        return min(_seconds(float(text), now), _A_DAY)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((aware - now).total_seconds(), 0.0), _A_DAY)


def _seconds(number: float, now: datetime) -> float:
    if number < _EPOCH:
        return number
    until = number / 1000 if number >= _EPOCH_MS else number
    return max(until - now.timestamp(), 0.0)
