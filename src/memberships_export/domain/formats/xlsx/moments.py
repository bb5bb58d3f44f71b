"""Dates and times as cells: days since the last day of 1899, as Excel counts them.

Excel thinks that 1900 was a leap year, so it is right from 1900-03-01 on. What it cannot count is text.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache, lru_cache

from memberships_export.domain.formats.instants import dates_for_people, for_people
from memberships_export.domain.formats.xlsx.cells import NOTHING, Cells, of_distinct, whole
from memberships_export.domain.formats.xlsx.styles import DATE, Styles
from memberships_export.domain.formats.xlsx.texts import text_cell, text_cells
from memberships_export.domain.source.columns.column_texts import BadValue
from memberships_export.domain.source.columns.dates import to_utc

_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001  (Excel knows no zones)
_FIRST_DAY = datetime(1900, 3, 1)  # noqa: DTZ001
_DAY = timedelta(days=1)
_DATE, _MILLISECONDS = len("YYYY-MM-DD"), len("YYYY-MM-DD HH:MM:SS.fff")
# Other texts are copied as they came. With more than milliseconds a cell could not hold all of it.
_ISO = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,3})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2}))?"
)


def instant_cells(texts: Sequence[str | None], zone: str, styles: Styles) -> Cells:
    """Return a column of times in a zone that stands above it."""
    return of_distinct(for_people(texts, zone), lambda text: _cell(text, styles) or text_cell(text))


def date_cells(texts: Sequence[str | None], zone: str, styles: Styles) -> Cells:
    """Return a column of dates; a time among them is in the zone, and says how far that is from UTC."""
    return of_distinct(dates_for_people(texts, zone), lambda text: _cell(text, styles) or text_cell(text))


def date_or_text_cells(texts: Sequence[str | None], zone: str, styles: Styles) -> Cells:
    """Return the same of a column that may hold other texts, which stay as they are."""
    distinct = set(texts)
    cells = _cells_of_moments([text for text in distinct if text], zone, styles)
    if None in distinct:
        cells[None] = NOTHING
    if len(cells) == len(distinct):
        return whole(list(map(cells.__getitem__, texts)))
    others = text_cells(texts)
    values = zip(texts, others.values, strict=True)
    return whole([cells.get(text) or f"{others.before}{value}{others.after}" for text, value in values], others.cut)


def moment_cell(moment: datetime, zone: str, styles: Styles) -> str:
    """Return one time in the zone, without fractions of a second."""
    utc = f"{moment:%Y-%m-%dT%H:%M:%S}Z"
    return instant_cells([utc], zone, styles).values[0]


def _cells_of_moments(texts: Sequence[str], zone: str, styles: Styles) -> dict[str | None, str]:
    """Return cells of those that are exactly a date, or a time with a zone, by their texts."""
    cells: dict[str | None, str] = {text: day for text in texts if len(text) == _DATE and (day := _day(text))}
    times = [text for text in texts if len(text) > _DATE and _compiled(_ISO).fullmatch(text)]
    local = zip(times, dates_for_people(_in_utc(times), zone), strict=True)
    return cells | {text: cell for text, moment in local if moment and (cell := _cell(moment, styles))}


def _in_utc(texts: Sequence[str]) -> list[str | None]:
    """Return dates, and times in UTC; None for a day that does not exist, and for the year 0."""
    try:
        return to_utc(texts, None)
    except BadValue:
        return [None] if len(texts) == 1 else [utc for text in texts for utc in _in_utc([text])]


def _cell(text: str, styles: Styles) -> str | None:
    """Return a cell of a date, or of a time with or without offset, as `instants` writes them.

    None where Excel has no such day, and for empty text.
    """
    if len(text) <= _DATE:
        return _day(text)
    clock, offset = _without_offset(text)
    moment = datetime.fromisoformat(clock[:_MILLISECONDS])
    if moment < _FIRST_DAY:
        return None
    style = styles.time(offset, fraction=moment.microsecond > 0)
    return None if style is None else f'<c s="{style}"><v>{(moment - _DAY_ZERO) / _DAY!r}</v></c>'


@lru_cache(maxsize=2**13)
def _day(text: str) -> str | None:
    """Return a cell of a day as `YYYY-MM-DD`; None for any other text. There are few days, and many rows."""
    try:
        day = datetime.fromisoformat(text) if _compiled(_ISO).fullmatch(text) else None
    except ValueError:  # a day that does not exist, or the year 0
        return None
    return f'<c s="{DATE}"><v>{(day - _DAY_ZERO).days}</v></c>' if day and day >= _FIRST_DAY else None


def _without_offset(text: str) -> tuple[str, str]:
    if text[-1:] == "Z":
        return text[:-1], "Z"
    return (text[:-6], text[-6:]) if text[-6] in "+-" else (text, "")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern when it is needed: who starts does not wait for it."""
    return re.compile(pattern)
