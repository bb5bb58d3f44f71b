"""How points in time stand in a file: as people read them in their zone, or by ISO 8601 for programs.

All functions take the texts of a column as the domain writes them: dates `YYYY-MM-DD`, times `YYYY-MM-DDTHH:MM:SSZ`
with or without a fraction before the Z, empty text, and None where there is nothing. A date alone is never moved, and
a fraction keeps its digits. In UTC a whole column is rewritten at once; in another zone each time that differs once.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo

from msgspec import convert, to_builtins

from memberships_export.domain.formats.options import Options
from memberships_export.domain.source.columns.column_texts import of_present
from memberships_export.domain.source.columns.dates import zone_of
from memberships_export.domain.source.columns.values import is_instant
from memberships_export.domain.source.profile import Column

_UTC = "UTC"
_DATE = len("YYYY-MM-DD")
_CLOCK = len("YYYY-MM-DDTHH:MM:SS")

Texts = Sequence[str | None]
# Takes a time in UTC, and the same in the zone as YYYY-MM-DDTHH:MM:SS+01:00, without its fraction: None outside of the
# years 1 to 9999.
_Form = Callable[[str, str | None], str]


def times_of(column: Column, texts: Texts, options: Options) -> Texts:
    """Return the texts of a column of instants or dates for who reads the file, in the zone that was chosen."""
    if not options.for_people:
        return for_programs(texts, options.time_zone)
    return (for_people if is_instant(column) else dates_for_people)(texts, options.time_zone)


def for_people(texts: Texts, zone: str) -> Texts:
    """Return `YYYY-MM-DD HH:MM:SS` in the zone, whose name stands above the column.

    Where the local time is outside of the years 1 to 9999 it stays in UTC, and says so by a Z.
    """
    if zone == _UTC:
        return of_present(texts, lambda there: _replaced(there, ("T", " "), ("Z", "")))
    return of_present(texts, lambda there: _in_zone(there, zone, _read_by_people))


def for_programs(texts: Texts, zone: str) -> Texts:
    """Return times by ISO 8601 and RFC 3339: `YYYY-MM-DDTHH:MM:SS+01:00`, and Z where that would be +00:00.

    RFC 3339 has no seconds in an offset, which zones had in the days of local mean time: such a time stays in UTC, as
    one does whose local time is outside of the years 1 to 9999.
    """
    return texts if zone == _UTC else of_present(texts, lambda there: _in_zone(there, zone, _read_by_programs))


def dates_for_people(texts: Texts, zone: str) -> Texts:
    """Return dates as they are, and a time among them as `for_programs`, with a blank in place of the T.

    No zone stands above a column of dates, so the time says itself how far it was moved.
    """
    if zone == _UTC:
        return of_present(texts, lambda there: _replaced(there, ("T", " ")))
    return of_present(texts, lambda there: _in_zone(there, zone, _read_among_dates))


def _replaced(texts: Sequence[str], *pairs: tuple[str, str]) -> Sequence[str]:
    column = "\n".join(texts)
    if "T" not in column:  # nothing but dates
        return texts
    for old, new in pairs:
        column = column.replace(old, new)
    return column.split("\n")


def _in_zone(texts: Sequence[str], zone: str, form: _Form) -> list[str]:
    differing = set(texts)
    times = [text for text in differing if len(text) > _DATE]
    known = dict(zip(differing, differing, strict=True))
    known.update(zip(times, map(form, times, _moved([text[:_CLOCK] for text in times], zone_of(zone))), strict=True))
    return list(map(known.__getitem__, texts))


def _moved(clocks: Sequence[str], zone: tzinfo) -> Sequence[str | None]:
    moments = convert([f"{clock}Z" for clock in clocks], list[datetime])
    try:
        local: Sequence[str] = to_builtins([moment.astimezone(zone) for moment in moments])
    except OverflowError:
        return [_moved_one(moment, zone) for moment in moments]
    return local


def _moved_one(moment: datetime, zone: tzinfo) -> str | None:
    try:
        local: str = to_builtins(moment.astimezone(zone))
    except OverflowError:
        return None
    return local


def _read_by_people(text: str, local: str | None) -> str:
    return _with_blank(local[:_CLOCK] + text[_CLOCK:-1] if local else text)


def _read_by_programs(text: str, local: str | None) -> str:
    # Other seconds than in UTC: an offset with seconds, which msgspec leaves out.
    if not local or local[_CLOCK - 2 : _CLOCK] != text[_CLOCK - 2 : _CLOCK]:
        return text
    return local[:_CLOCK] + text[_CLOCK:-1] + local[_CLOCK:]


def _read_among_dates(text: str, local: str | None) -> str:
    return _with_blank(_read_by_programs(text, local))


def _with_blank(text: str) -> str:
    return text.replace("T", " ")
