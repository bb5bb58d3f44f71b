"""Numbers, sizes and times as readers of a language write them."""

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_datetime_format
from babel.numbers import get_group_symbol
from babel.units import format_unit

_UNITS = ("byte", "kilobyte", "megabyte", "gigabyte")
_STEP = 1000
_KEPT = 256  # a mail tells the same in its text and in its page
_NARROW_SPACE, _SPACE = "\u202f", "\xa0"  # not every font has the narrow one; neither lets a line break


def number(value: int, language: str) -> str:
    """Write a whole number with the separators of the language."""
    # Babel's format_decimal takes the apostrophes of 1'234'567, as Swiss people write it, for quotes of its pattern.
    return f"{value:,}".replace(",", get_group_symbol(_locale(language))).replace(_NARROW_SPACE, _SPACE)


@lru_cache(_KEPT)
def size(count: int, language: str) -> str:
    """Write a count of bytes in the largest unit that leaves at least one of it."""
    power = next(power for power in reversed(range(len(_UNITS))) if count >= _STEP**power or power == 0)
    value = count / _STEP**power
    shown = round(value) if power == 0 or value >= 10 else round(value, 1)  # noqa: PLR2004  (two digits say enough)
    written = format_unit(shown, f"digital-{_UNITS[power]}", length="short", locale=_locale(language))
    return written.replace(_NARROW_SPACE, _SPACE).replace(" ", _SPACE)


@lru_cache(_KEPT)
def moment(value: datetime, language: str, time_zone: str) -> str:
    """Write day and time in the zone, and name it: so they mean the same everywhere."""
    locale, zone = _locale(language), _zone(time_zone)
    local = value.astimezone(zone)
    pattern = str(get_datetime_format("long", locale=locale)).replace("'", "")
    shown = pattern.format(format_time(local, "short", tzinfo=zone, locale=locale), format_date(local, "long", locale))
    return f"{shown} ({zone})".replace(_NARROW_SPACE, _SPACE)


def direction(language: str) -> str:
    """Return ltr or rtl."""
    return str(_locale(language).text_direction)


@lru_cache(maxsize=32)
def _locale(language: str) -> Locale:
    """Return the locale; without its region where that is not known, and English for what is no language here."""
    for tag in (language, language.partition("-")[0]):
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


def _zone(name: str) -> tzinfo:
    """Return the zone; UTC when this machine does not know it any more, and so is what the mail names."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return UTC
