"""Dates and times as APIs write them, by ISO 8601: a date stays a date, a time becomes UTC.

Where a zone is needed, the one of the column applies. A time that comes twice, as the clocks go back in autumn, is the
first of the two; one that does not come at all, as they go forward in spring, is read as before the change.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import partial

from msgspec import convert, to_builtins

from memberships_export.domain.source.columns.column_texts import BadValue, Raw, of_each

# `re` compiles these when they are needed, and keeps them: whoever starts does not wait for them.
# What databases and PHP write where there is no date. PHP reads the zeros as a day of November in the year -1.
_ZERO = (
    r"(?:0000-00-00|00000000|-0001-11-30)"
    r"(?:[Tt ]00:?00(?::?00(?:[.,]0+)?)? ?(?:[Zz]|[+-][0-9]{2}(?::?[0-5][0-9])?)?)?"
)
# What most APIs send, one in a line, and anything else.
_USUAL = (
    r"(?:((?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.([0-9]{1,18}))?(Z|[+-][0-9]{2}:?[0-5][0-9])?|(.*))\n"
)
_ISO = (
    r"(?P<year>[0-9]{4})(?P<dash>-?)(?P<month>[0-9]{2})(?P=dash)(?P<day>[0-9]{2})"
    r"(?P<clock>[Tt ](?P<hour>[0-9]{2})(?P<colon>:?)(?P<minute>[0-9]{2})"
    r"(?:(?P=colon)(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,18}))?)?"
    r" ?(?P<offset>[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2})(?::?(?P<minutes>[0-5][0-9]))?)?)?"
)


def zone_of(name: str) -> tzinfo:
    """Return a zone by its name in the IANA database, such as Europe/Zurich. Raises ValueError where it has none."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415  (takes long to load, and few columns need it)

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name} is no time zone of the IANA database, such as Europe/Zurich") from None


def is_zone(name: str) -> bool:
    """Tell names in the IANA database from others, such as those of its folders."""
    try:
        zone_of(name)
    except ValueError:
        return False
    return True


def to_utc(values: Sequence[Raw], zone: tzinfo | None) -> list[str | None]:
    """Return dates as `YYYY-MM-DD`, times as `YYYY-MM-DDTHH:MM:SSZ`; a fraction stays, unless it is zero.

    Empty text stays; a date of zeros is None. Raises BadValue, also for a time without zone where `zone` is None.
    """
    try:
        return list(values) if _is_written_so(values) else _whole_page(values, zone)
    except (BadValue, ValueError, OverflowError, TypeError):
        return of_each(values, partial(_written, zone))


def _whole_page(values: Sequence[str], zone: tzinfo | None) -> list[str | None]:
    """Write the usual forms of a time for the whole page at once. Raises several errors where one value is bad."""
    page = "\n".join(values) + "\n"
    if "." not in page:
        with suppress(ValueError):
            return [f"{seconds}Z" for seconds in _in_utc(values, zone)]
    return _line_by_line(page, len(values), zone)


def _line_by_line(page: str, length: int, zone: tzinfo | None) -> list[str | None]:
    """Write a page with fractions, or with other forms here and there."""
    lines: list[tuple[str, str, str, str]] = re.findall(_USUAL, page)
    if len(lines) != length:
        raise ValueError
    times = iter(_in_utc([clock + offset for clock, _, offset, _ in lines if clock], zone))
    return [
        _with_fraction(next(times), fraction) if clock else _written(zone, other) for clock, fraction, _, other in lines
    ]


def _in_utc(texts: Sequence[str], zone: tzinfo | None) -> list[str]:
    """Return times as msgspec reads them in UTC, without the Z."""
    utc = [
        moment.astimezone(UTC) if moment.tzinfo else moment - _offset(moment, zone)
        for moment in convert(texts, list[datetime])
    ]
    return [text[:19] for text in to_builtins(utc)]


def _offset(local: datetime, zone: tzinfo | None) -> timedelta:
    if zone is None:
        raise BadValue(0, "a time without zone: set zone")
    return zone.utcoffset(local) or timedelta()


def _with_fraction(seconds: str, fraction: str) -> str:
    return f"{seconds}.{fraction}Z" if fraction.strip("0") else f"{seconds}Z"


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
    if not isinstance(text, str):
        raise BadValue(0, "no date of ISO 8601")
    if re.fullmatch(_ZERO, text):
        return None
    found = re.fullmatch(_ISO, text)
    if not found:
        raise BadValue(0, "no date of ISO 8601")
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
    local = datetime(day.year, day.month, day.day, *clock)  # noqa: DTZ001  (its zone is what has to be found)
    utc = local - _offset(local, _zone_of(found, zone))
    return _with_fraction(utc.isoformat(), found["fraction"] or "")


def _zone_of(found: re.Match[str], zone: tzinfo | None) -> tzinfo | None:
    if not found["sign"]:
        return UTC if found["offset"] else zone
    distance = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
    return timezone(distance if found["sign"] == "+" else -distance)
