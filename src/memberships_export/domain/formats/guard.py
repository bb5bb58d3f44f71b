"""The guard against formulas: text that a spreadsheet could run is disarmed, and can be restored exactly."""

import re

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
_GUARD_GOES_HERE = re.compile(rf"\A(?={_FORMULA})|(?<=[\r\n])(?={_FORMULA_IN_LINE})")
_GUARD = re.compile(rf"\A'(?={_FORMULA})|(?<=[\r\n])'(?={_FORMULA_IN_LINE})")
MAYBE_FORMULA = re.compile(rf"\n{_FORMULA}")  # begins with one literal character: that is what makes it fast


def guard(cell: str) -> str:
    r"""Put an apostrophe before every line of the cell that a spreadsheet could run as a formula.

    A line is guarded when, after apostrophes and characters that importers strip, it begins with one of
    `= + - @` TAB NUL, a full-width `= + - @` or U+30FC; the cell itself also when it begins with CR or LF.
    Values that only look like a formula are guarded too ("-1.50", "+44 20 7946 0000", "@handle", "- note"): as text
    they cannot be told apart. `unguard(guard(cell)) == cell` for every cell.
    """
    return _GUARD_GOES_HERE.sub("'", cell)


def unguard(cell: str) -> str:
    """Take off what `guard` put on; a cell without guard stays as it is."""
    return _GUARD.sub("", cell)
