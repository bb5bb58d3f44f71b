"""Numbers as cells. The digits are copied, no number with a binary point comes into it; Excel keeps 15 of them."""

import re
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

from memberships_export.domain.formats.xlsx.cells import NOTHING, Cells, of_distinct, whole
from memberships_export.domain.formats.xlsx.styles import INTEGER, Styles
from memberships_export.domain.formats.xlsx.texts import text_cell

_MOST_DIGITS = 15  # that count: neither zeros in front nor at the end
_MOST_DECIMALS = 30  # that Excel shows
# At most two decimals and 15 digits, and not the zeros that nobody writes: one amount before each >.
_USUAL = r"(?:(?:-?[1-9][0-9]{0,12}+|0)(?:\.[0-9]{1,2}+)?>)*+"


def integer_cells(texts: Sequence[str | None]) -> Cells:
    """Return a column of whole numbers, written without zeros in front."""
    try:
        if max(map(len, texts), default=0) <= _MOST_DIGITS:  # type: ignore[arg-type]  # finds that one is None
            return Cells(_before(INTEGER), texts, _AFTER)  # type: ignore[arg-type]
    except TypeError:
        pass
    return of_distinct(texts, partial(_number, style_of=lambda _: INTEGER))


def amount_cells(texts: Sequence[str | None], currencies: Sequence[Any] | None, styles: Styles) -> Cells:
    """Return a column of amounts, each with the code of its currency where there are codes."""
    codes = {None} if currencies is None else set(currencies)
    usual = all(styles.decimals(code) >= 2 for code in codes) and _all_usual(texts)  # noqa: PLR2004  (decimals)
    if len(codes) > 1:
        return _of_currencies(list(zip(texts, currencies or (), strict=True)), styles, usual=usual)
    code = next(iter(codes), None)
    if usual:
        return Cells(_before(styles.amount(code, 0)), texts, _AFTER)  # type: ignore[arg-type]  # none is None
    return of_distinct(texts, partial(_number, style_of=_style_of(styles, code)))


def _of_currencies(pairs: Sequence[tuple[str | None, Any]], styles: Styles, *, usual: bool) -> Cells:
    if usual:
        before = {code: _before(styles.amount(code, 0)) for code in {code for _, code in pairs}}
        return whole([f"{before[code]}{text}{_AFTER}" for text, code in pairs])
    known = {
        (text, code): NOTHING if text is None else _number(text, _style_of(styles, code)) for text, code in set(pairs)
    }
    return whole(list(map(known.__getitem__, pairs)))


def _all_usual(texts: Sequence[str | None]) -> bool:
    try:
        return bool(texts and _compiled(_USUAL).fullmatch(f"{'>'.join(texts)}>"))  # type: ignore[arg-type]
    except TypeError:  # one is None
        return False


def _style_of(styles: Styles, code: object) -> Callable[[int], int]:
    return lambda decimals: styles.amount(code, decimals)


def _number(text: str, style_of: Callable[[int], int]) -> str:
    """Return a number, or its text where Excel would not keep or show each digit. `style_of` takes its decimals."""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    units, _, rest = digits.partition(".")
    units, decimals = units.lstrip("0"), rest.rstrip("0")
    if len((units + decimals).strip("0")) > _MOST_DIGITS or len(decimals) > _MOST_DECIMALS:
        return text_cell(text)
    number = f"{units or '0'}.{rest}" if rest else units or "0"
    return f"{_before(style_of(len(decimals)))}{sign if units or decimals else ''}{number}{_AFTER}"


def _before(style: int) -> str:
    return f'<c s="{style}"><v>'


_AFTER = "</v></c>"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern when it is needed: who starts does not wait for it."""
    return re.compile(pattern)
