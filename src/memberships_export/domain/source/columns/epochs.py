"""Times counted from 1970-01-01T00:00:00Z, as times in UTC by ISO 8601. Leap seconds are not counted, as in POSIX."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import convert, to_builtins

from memberships_export.domain.source.columns.column_texts import BadValue, Raw, of_each

_NUMBERS = r"(?:-?[0-9]{1,20}\n)*+"


def from_seconds(values: Sequence[Raw]) -> list[str | None]:
    """Return `YYYY-MM-DDTHH:MM:SSZ` for whole numbers, or texts of digits; empty text stays. Raises BadValue."""
    return _in_years(values, _seconds, "seconds")


def from_milliseconds(values: Sequence[Raw]) -> list[str | None]:
    """Return the same, with `.123` before the Z where it is not a whole second. Raises BadValue."""
    return _in_years(values, _milliseconds, "milliseconds")


def _in_years(values: Sequence[Raw], written: Callable[[Sequence[int]], list[str]], unit: str) -> list[str | None]:
    """Write the whole page at once, or value by value where that fails."""

    def one(value: Raw) -> str:
        if value == "":
            return ""
        try:
            numbers = _numbers([value])
        except ValueError:
            raise BadValue(0, f"no whole number of {unit} since 1970") from None
        try:
            return written(numbers)[0]
        except ValueError:
            raise BadValue(0, "a time outside of the years 1 to 9999") from None

    try:
        return [*written(_numbers(values))]
    except ValueError:
        return of_each(values, one)


def _numbers(values: Sequence[Raw]) -> Sequence[int]:
    if set(map(type, values)) <= {int}:
        return values
    if not re.fullmatch(_NUMBERS, "\n".join(map(str, values)) + "\n"):
        raise ValueError
    return list(map(int, values))


def _seconds(numbers: Sequence[int]) -> list[str]:
    # msgspec makes times of numbers where it need not be strict, and writes UTC as Z: in C, for the whole page.
    written: list[str] = to_builtins(convert(numbers, list[datetime], strict=False))
    return written


def _milliseconds(numbers: Sequence[int]) -> list[str]:
    whole = _seconds([number // 1000 for number in numbers])
    rests = [number % 1000 for number in numbers]
    return [f"{text[:-1]}.{rest:03}Z" if rest else text for text, rest in zip(whole, rests, strict=True)]
