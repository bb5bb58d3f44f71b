"""How a file writes days: `2024-12-31`, `31.12.2024`, `12/31/2024`, and what could be both."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Final

_DIRECTIVES: Final = {"%Y": "YYYY", "%m": "MM", "%d": "DD"}
_SHAPE = re.compile(r"(?P<a>YYYY|MM|DD)(?P<by>[-./ ]?)(?P<b>YYYY|MM|DD)(?P=by)(?P<c>YYYY|MM|DD)")
_WITH_TIME = re.compile(r"[0-9./ -]{8,10}[T ]+[0-9]{1,2}:[0-9]{2}.*", re.DOTALL)
_SHORT_YEAR = re.compile(r"[0-9]{1,2}([./-])[0-9]{1,2}\1[0-9]{2}")


@dataclass(frozen=True, slots=True)
class DateFormat:
    """An order of YYYY, MM and DD with one separator, or none, between them. ValueError for anything else."""

    text: str = "YYYY-MM-DD"
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        shape = _SHAPE.fullmatch(self.text)
        if not shape or len({shape["a"], shape["b"], shape["c"]}) < 3:  # noqa: PLR2004  (each once)
            raise ValueError(self.text)
        # Spreadsheets leave leading zeros away, except in the ISO form.
        short = shape["by"] and self.text != "YYYY-MM-DD"
        digits = {"YYYY": "[0-9]{4}", "MM": "[0-9]{1,2}" if short else "[0-9]{2}"}
        parts = [f"(?P<{part}>{digits.get(part, digits['MM'])})" for part in (shape["a"], shape["b"], shape["c"])]
        object.__setattr__(self, "_pattern", re.compile(re.escape(shape["by"]).join(parts)))

    def parse(self, text: str) -> str:
        """Give the day in ISO form. Raises ValueError with what to do."""
        found = self._pattern.fullmatch(text)
        if not found:
            raise ValueError(_advice(text, self))
        if (day := _day(found)) is None:
            raise ValueError("there is no such day in the calendar.")
        return day.isoformat()

    def fits(self, text: str) -> bool:
        """Tell whether this is a day in this format."""
        found = self._pattern.fullmatch(text)
        return found is not None and _day(found) is not None

    def example(self) -> str:
        """Show how the last day of 2024 is written in this order: a day over 12 says which number is the month."""
        return self.text.replace("YYYY", "2024").replace("MM", "12").replace("DD", "31")


def _day(found: re.Match[str]) -> date | None:
    try:
        return date(int(found["YYYY"]), int(found["MM"]), int(found["DD"]))
    except ValueError:
        return None


ISO: Final = DateFormat()
_GUESSED: Final = (
    ISO,
    *map(DateFormat, ("DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "DD-MM-YYYY", "MM-DD-YYYY")),
    *map(DateFormat, ("YYYY/MM/DD", "YYYY.MM.DD", "YYYYMMDD", "DDMMYYYY", "MMDDYYYY")),
)


class TwoFormats(ValueError):
    """The dates do not tell how they are written; the text names an example."""


def guessed_format(texts: Iterable[str]) -> DateFormat:
    """Tell the format from dates. Raises TwoFormats when several fit as well, or two are needed that contradict."""
    days = Counter(texts)
    fits = {known: {text for text in days if known.fits(text)} for known in _GUESSED}
    weights = {known: sum(days[text] for text in fits[known]) for known in _GUESSED}
    best = max(_GUESSED, key=weights.__getitem__)
    if not weights[best]:
        return ISO
    rivals = [known for known in _GUESSED if _are_rivals(known, best) and fits[known]]
    proven = [known for known in rivals if fits[known] - fits[best]]
    if proven:
        raise TwoFormats(_contradiction(fits[best] - fits[proven[0]], best, fits[proven[0]] - fits[best], proven[0]))
    if equal := [known for known in rivals if weights[known] == weights[best]]:
        example = next(text for text in days if text in fits[best])
        options = " or ".join(f"--date-format {known.text}" for known in (best, *equal))
        raise TwoFormats(f"has dates like {example!r}, which can be read in two ways: say {options}.")
    return best


def given_format(text: str) -> DateFormat:
    """Read DD.MM.YYYY, or %d.%m.%Y. Raises ValueError."""
    letters = text
    for directive, part in _DIRECTIVES.items():
        letters = letters.replace(directive, part)
    try:
        return DateFormat(letters.upper())
    except ValueError:
        raise ValueError(
            f"{text!r} is no format of dates: say one like YYYY-MM-DD, DD.MM.YYYY or MM/DD/YYYY."
        ) from None


def _are_rivals(one: DateFormat, other: DateFormat) -> bool:
    """Tell two formats whose dates look the same: they differ in the order only."""
    return one != other and re.sub(r"\w", "", one.text) == re.sub(r"\w", "", other.text) and ISO not in (one, other)


def _contradiction(some: set[str], one: DateFormat, others: set[str], other: DateFormat) -> str:
    return (
        f"has dates like {min(some)!r} ({one.text}) and like {min(others)!r} ({other.text}): make them alike, or say "
        "--date-format and have the others refused."
    )


def _advice(text: str, wanted: DateFormat) -> str:
    plain = f"write the date as {wanted.text}"
    if _WITH_TIME.fullmatch(text):
        return f"{plain}, without the time of day."
    if _SHORT_YEAR.fullmatch(text):
        return f"{plain}, the year with four digits."
    known = [known for known in _GUESSED if known != wanted and known.fits(text)]
    return f"{plain}; or say --date-format {known[0].text}, if all are so." if len(known) == 1 else f"{plain}."
