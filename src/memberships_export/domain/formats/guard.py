"""The guard against formulas: text that a spreadsheet could run is disarmed, and can be restored exactly."""

import re
from collections.abc import Iterable, Sequence
from functools import cache

# Spreadsheets run a cell as a formula when it begins with one of these (the wide ones in East Asian versions).
_TRIGGERS_IN_LINE = r"=+\-@\t\0\uff1d\uff0b\uff0d\uff20\u30fc"
_TRIGGERS = rf"{_TRIGGERS_IN_LINE}\r\n"
# What an importer may strip before it looks: controls, blanks, zero-width and bidi marks, fillers, and the quote.
_IGNORED = (
    r"\x01-\x08\x0b\x0c\x0e-\x20\x22\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    r"\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Apostrophes come first: a cell that looks guarded already gets one more, or taking one off would change it.
_FORMULA = rf"'*+[{_IGNORED}]*+[{_TRIGGERS}]"
_FORMULA_IN_LINE = rf"'*+[{_IGNORED}]*+[{_TRIGGERS_IN_LINE}]"
# Where a program that splits at another separator than ours, or does not honour quotes, finds a new cell inside one.
_SEPARATORS = ",;|\t"
_STARTS = rf"(?<=[\r\n{_SEPARATORS}])"
_GUARD_GOES_HERE = rf"\A(?={_FORMULA})|{_STARTS}(?={_FORMULA_IN_LINE})"
_GUARD = rf"\A'(?={_FORMULA})|{_STARTS}'(?={_FORMULA_IN_LINE})"


def guard(cell: str) -> str:
    """Put an apostrophe before every piece of the cell that a spreadsheet could run as a formula.

    A piece begins at the start of the cell, and after each line end and each `, ; |` TAB inside it: there some program
    begins a new cell. It is guarded when, after apostrophes and characters that importers strip, it begins with one of
    `= + - @` TAB NUL, a full-width `= + - @` or U+30FC; the cell itself also when it begins with CR or LF.
    Values that only look like a formula are guarded too ("-1.50", "+44 20 7946 0000", "@handle", "- note"): as text
    they cannot be told apart. `unguard(guard(cell)) == cell` for every cell.
    """
    return _compiled(_GUARD_GOES_HERE).sub("'", cell)


def guarded(cells: Sequence[str]) -> Sequence[str]:
    """Guard many cells, equal ones once; most often none of them has to be."""
    if not could_need_guard(cells):
        return cells
    known = {cell: guard(cell) for cell in set(cells)}
    return list(map(known.__getitem__, cells))


def could_need_guard(cells: Iterable[str]) -> bool:
    """Tell, for many cells at once and much faster than `guard`, whether one of them may have to be guarded."""
    # Empty cells are left out: the line feed after one would look like a cell that begins with a line feed.
    text = "\n" + "\n".join(filter(None, cells))
    return "\r" in text or any(start in text and _maybe_formula(start).search(text) for start in ("\n", *_SEPARATORS))


def unguard(cell: str) -> str:
    """Take off what `guard` put on; a cell without guard stays as it is."""
    return _compiled(_GUARD).sub("", cell)


def _maybe_formula(start: str) -> re.Pattern[str]:
    """Return what finds a formula behind this one literal character: that it begins with one makes it fast."""
    return _compiled(rf"{re.escape(start)}{_FORMULA}")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern when it is needed: that takes long, and who starts does not wait for it."""
    return re.compile(pattern)
