"""Dates and times as cells: days since the last day of 1899, as Excel counts them.

Excel thinks that 1900 was a leap year, so it is right from 1900-03-01 on. What it cannot count is text.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from functools import cache

from memberships_export.domain.formats.instants import dates_for_people, for_people
from memberships_export.domain.formats.xlsx.cells import Cells, of_distinct, whole
from memberships_export.domain.formats.xlsx.styles import DATE, Styles
from memberships_export.domain.formats.xlsx.texts import text_cell, text_cells
from memberships_export.domain.source.columns.column_texts import BadValue
from memberships_export.domain.source.columns.dates import to_utc

_DAY_ZERO = date(1899, 12, 30).toordinal()
_FIRST_DAY = "1900-03-01"
_MILLISECONDS_OF_DAY = 24 * 60 * 60 * 1000
_LOCAL = (
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?: (?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.(?P<fraction>[0-9]+))?(?P<offset>Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
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
    others, distinct = text_cells(texts), {text for text in set(texts) if text}
    cells = {text: cell for text in distinct if (cell := _of_text(text, zone, styles))}
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


def _of_text(text: str, zone: str, styles: Styles) -> str | None:
    if not _compiled(_ISO).fullmatch(text):
        return None
    try:
        utc = to_utc([text], None)
    except BadValue:  # a day that does not exist, or a year 0
        return None
    local = dates_for_people(utc, zone)[0]
    return None if local is None else _cell(local, styles)


def _cell(text: str, styles: Styles) -> str | None:
    """Return a cell of a date, or of a time with or without offset; None where Excel has no such day."""
    found = _compiled(_LOCAL).fullmatch(text)
    if not found or found["day"] < _FIRST_DAY:
        return None
    days = date.fromisoformat(found["day"]).toordinal() - _DAY_ZERO
    if not found["clock"]:
        return f'<c s="{DATE}"><v>{days}</v></c>'
    milliseconds = (found["fraction"] or "")[:3].ljust(3, "0")
    style = styles.time(found["offset"] or "", fraction=milliseconds != "000")
    if style is None:
        return None
    return f'<c s="{style}"><v>{days}{_part_of_day(found["clock"], int(milliseconds))}</v></c>'


def _part_of_day(clock: str, milliseconds: int) -> str:
    """Return how much of the day is over, as decimals behind a whole number: .75 at 18:00, nothing at midnight."""
    hours, minutes, seconds = clock.split(":")
    over = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + milliseconds
    return f"{over / _MILLISECONDS_OF_DAY:.11f}"[1:].rstrip("0").rstrip(".")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern when it is needed: who starts does not wait for it."""
    return re.compile(pattern)
