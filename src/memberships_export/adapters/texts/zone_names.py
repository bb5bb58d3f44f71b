"""The names of all time zones, as the system or the package tzdata has them."""

from collections.abc import Collection
from functools import cache


@cache
def zone_names() -> Collection[str]:
    """Return them: from many files, so that it takes a moment the first time."""
    # Takes long to load, and who starts does not wait for it.
    from zoneinfo import available_timezones  # noqa: PLC0415

    return frozenset(available_timezones())
