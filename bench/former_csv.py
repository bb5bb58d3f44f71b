"""CSV for spreadsheets as it was written before there were options, guard included: kept to compare with.

It changes only when the file of the preset `spreadsheet` itself does.
"""

import re
from collections.abc import Sequence
from functools import partial

from memberships_export.domain.source.columns.values import is_number
from memberships_export.domain.source.reader import Table

_TRIGGERS_IN_LINE = r"=+\-@\t\0\uff1d\uff0b\uff0d\uff20\u30fc"
_TRIGGERS = rf"{_TRIGGERS_IN_LINE}\r\n"
_IGNORED = (
    r"\x01-\x08\x0b\x0c\x0e-\x20\x22\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    r"\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_FORMULA = rf"'*+[{_IGNORED}]*+[{_TRIGGERS}]"
_FORMULA_IN_LINE = rf"'*+[{_IGNORED}]*+[{_TRIGGERS_IN_LINE}]"
_SEPARATORS = ",;|\t"
_GUARD_GOES_HERE = re.compile(rf"\A(?={_FORMULA})|(?<=[\r\n{_SEPARATORS}])(?={_FORMULA_IN_LINE})")
_MAYBE_FORMULA = {start: re.compile(rf"{re.escape(start)}{_FORMULA}") for start in ("\n", *_SEPARATORS)}


def written(table: Table) -> bytes:
    """Return the lines of the rows."""
    cells = [
        [text or "" for text in texts] if is_number(column) else _texts([text or "" for text in texts])
        for column, texts in zip(table.columns, table.cells, strict=True)
    ]
    lines = '"\r\n"'.join(map('","'.join, zip(*cells, strict=True)))
    return f'"{lines}"\r\n'.encode()


def _texts(cells: Sequence[str]) -> Sequence[str]:
    quotes = '"' in "".join(cells)
    disarmed = _guarded(cells)
    return [cell.replace('"', '""') for cell in disarmed] if quotes else disarmed


def _guarded(cells: Sequence[str]) -> Sequence[str]:
    text = "\n" + "\n".join(filter(None, cells))
    if "\r" in text or any(start in text and found.search(text) for start, found in _MAYBE_FORMULA.items()):
        return list(map(partial(_GUARD_GOES_HERE.sub, "'"), cells))
    return cells
