"""Dates and times as APIs write them, by ISO 8601: a date stays a date, a time becomes UTC.

Where a zone is needed, the one of the column applies. A time that comes twice, as the clocks go back in autumn, is the
first of the two; one that does not come at all, as they go forward in spring, is read as before the change.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import partial

from msgspec import convert, to_builtins

from memberships_export.domain.source.column_texts import BadValue, Raw, of_each

# What databases and PHP write where there is no date. PHP reads the zeros as a day of November in the year -1.
_ZERO = re.compile(r"(?:0000-00-00|-0001-11-30|00000000)(?:[Tt ]?[0:.,]*(?:[Zz]|[+-]00:?(?:00)?)?)?")
_ISO = re.compile(
    r"(?P<year>[0-9]{4})(?P<dash>-?)(?P<month>[0-9]{2})(?P=dash)(?P<day>[0-9]{2})"
    r"(?P<clock>[Tt ](?P<hour>[0-9]{2})(?P<colon>:?)(?P<minute>[0-9]{2})"
    r"(?:(?P=colon)(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,18}))?)?"
    r" ?(?P<offset>[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2})(?::?(?P<minutes>[0-5][0-9]))?)?)?"
)


def to_utc(values: Sequence[Raw], zone: tzinfo | None) -> list[str | None]:
    """Return dates as `YYYY-MM-DD`, times as `YYYY-MM-DDTHH:MM:SSZ`; a fraction stays, unless it is zero.

    Empty text stays; a date of zeros is None. Raises BadValue, also for a time without zone where `zone` is None.
    """
    if _is_written_so(values):
        return list(values)
    return of_each(values, partial(_written, zone))


def _is_written_so(values: Sequence[Raw]) -> bool:
    """Return whether all are times in UTC, or all dates, already written as they shall be: looked at in C."""
    try:
        if {value[-1:] for value in values} == {"Z"}:
            return bool(to_builtins(convert(values, list[datetime])) == values)
        return bool(to_builtins(convert(values, list[date])) == values)
    except ValueError:
        return False


def _written(zone: tzinfo | None, text: Raw) -> str | None:
    if text == "":
        return ""
    if _ZERO.fullmatch(text):
        return None
    found = _ISO.fullmatch(text)
    if not found:
        raise BadValue(0, "a text that is no date of ISO 8601")
    try:
        return _instant(found, zone) if found["clock"] else _day(found).isoformat()
    except ValueError:
        raise BadValue(0, "a date or time that does not exist") from None
    except OverflowError:
        raise BadValue(0, "a time outside of the years 1 to 9999") from None


def _day(found: re.Match[str]) -> date:
    return date(int(found["year"]), int(found["month"]), int(found["day"]))


def _instant(found: re.Match[str], zone: tzinfo | None) -> str:
    day = _day(found)
    clock = int(found["hour"]), int(found["minute"]), int(found["second"] or 0)
    local = datetime(day.year, day.month, day.day, *clock, tzinfo=_zone_of(found, zone))
    fraction = found["fraction"] or ""
    seconds = local.astimezone(UTC).replace(tzinfo=None).isoformat()
    return f"{seconds}.{fraction}Z" if fraction.strip("0") else f"{seconds}Z"


def _zone_of(found: re.Match[str], zone: tzinfo | None) -> tzinfo:
    if found["sign"]:
        distance = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
        return timezone(distance if found["sign"] == "+" else -distance)
    if found["offset"]:
        return UTC
    if zone is None:
        raise BadValue(0, "a time without zone: set zone")
    return zone
