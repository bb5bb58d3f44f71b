"""Dates and times as cells: days since the last day of 1899, as Excel counts them.

Excel thinks that 1900 was a leap year, so it is right from 1900-03-01 on. What it cannot count is text.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

from memberships_export.domain.formats.instants import dates_for_people, for_people
from memberships_export.domain.formats.xlsx.cells import Cells, of_distinct, whole
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
    others, iso = text_cells(texts), _compiled(_ISO)
    moments = [text for text in set(texts) if text and iso.fullmatch(text)]
    local = zip(moments, dates_for_people(_in_utc(moments), zone), strict=True)
    cells = {text: cell for text, moment in local if moment and (cell := _cell(moment, styles))}
    if not cells:
        return others
    values = zip(texts, others.values, strict=True)
    return whole(
        [cells.get(text or "") or f"{others.before}{value}{others.after}" for text, value in values], others.cut
    )


def moment_cell(moment: datetime, zone: str, styles: Styles) -> str:
    """Return one time in the zone, without fractions of a second."""
    utc = f"{moment:%Y-%m-%dT%H:%M:%S}Z"
    return instant_cells([utc], zone, styles).values[0]


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
    clock, offset = _without_offset(text)
    moment = datetime.fromisoformat(clock[:_MILLISECONDS]) if clock else datetime.min  # noqa: DTZ901
    if moment < _FIRST_DAY:
        return None
    if len(text) == _DATE:
        return f'<c s="{DATE}"><v>{(moment - _DAY_ZERO).days}</v></c>'
    style = styles.time(offset, fraction=moment.microsecond > 0)
    return None if style is None else f'<c s="{style}"><v>{(moment - _DAY_ZERO) / _DAY!r}</v></c>'


def _without_offset(text: str) -> tuple[str, str]:
    if text[-1:] == "Z":
        return text[:-1], "Z"
    return (text[:-6], text[-6:]) if len(text) > _DATE and text[-6] in "+-" else (text, "")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern when it is needed: who starts does not wait for it."""
    return re.compile(pattern)
