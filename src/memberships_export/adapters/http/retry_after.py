"""How long the other side asks us to stay away."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_A_DAY = 86_400.0  # seconds


def retry_after(header: str | None, now: datetime) -> float | None:
    """Read a Retry-After header, seconds or date, as seconds from now: at least 0, at most a day."""
    text = (header or "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text), _A_DAY)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((aware - now).total_seconds(), 0.0), _A_DAY)
