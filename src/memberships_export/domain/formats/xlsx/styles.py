"""How cells look: a style of a cell is a number, and means the same in each file of a plan, used or not.

Only number formats that were used are written out: Excel takes about 200 of them in one file.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from memberships_export.domain.formats.xlsx.cells import attribute
from memberships_export.domain.source.columns.currencies import exponents
from memberships_export.domain.source.profile import Column

PLAIN, BOLD, INTEGER, AMOUNT, LONG_AMOUNT, DATE, TIME, TIME_WITH_FRACTION = range(8)
_OFFSETS = range(-48, 57)  # from UTC, in quarters of an hour
_FIRST_OFFSET = 8
_FIRST_CURRENCY = _FIRST_OFFSET + 2 * len(_OFFSETS)
_MOST_FORMATS = 190
_GENERAL, _WHOLE, _THOUSANDS, _FIRST_FORMAT = 0, 1, 4, 164  # ids of number formats: Excel's own, and where others begin
_CLOCK = "yyyy-mm-dd hh:mm:ss"
_MORE = "#" * 28  # decimals after the first two, shown where they are there
_FORMATS = {
    LONG_AMOUNT: f"#,##0.00{_MORE}",
    DATE: "yyyy-mm-dd",
    TIME: _CLOCK,
    TIME_WITH_FRACTION: f"{_CLOCK}.000",
}
_ISO_4217 = re.compile(r"[A-Z]{3}")


@dataclass(slots=True)
class Styles:
    """The styles of one file while it is written."""

    exponents: Mapping[str, int]  # decimal places of currencies, by code in capitals
    _places: Mapping[str, int]  # of the codes
    _used: dict[int, str] = field(default_factory=lambda: dict(_FORMATS))  # number formats by style

    @property
    def used(self) -> Mapping[int, str]:
        """The number formats that were used, by style."""
        return self._used

    def use(self, formats: Mapping[int, str]) -> None:
        """Take up number formats that others used."""
        self._used.update(formats)

    def decimals(self, code: object) -> int:
        """Return how many decimals an amount has; 2 for what is no currency."""
        return self.exponents.get(_code(code), 2)

    def amount(self, code: object, decimals: int) -> int:
        """Return the style of an amount, which shows its currency and all of its decimals."""
        code, more = _code(code), decimals > self.decimals(code)
        if code not in self._places:
            return LONG_AMOUNT if more else AMOUNT
        style = _FIRST_CURRENCY + 2 * self._places[code] + more
        if style not in self._used:
            self._used[style] = _currency_format(code, self.exponents[code], more=more)
        return style

    def time(self, offset: str, *, fraction: bool) -> int | None:
        """Return the style of a time with this offset behind it, such as +01:00 or Z; None where there is none.

        An empty offset is none that is shown.
        """
        if not offset:
            return TIME_WITH_FRACTION if fraction else TIME
        quarters, rest = (0, 0) if offset == "Z" else divmod(_minutes(offset), 15)
        if rest or quarters not in _OFFSETS:
            return None
        style = _FIRST_OFFSET + 2 * _OFFSETS.index(quarters) + fraction
        self._used[style] = f'{_CLOCK}{".000" if fraction else ""}"{"Z" if not quarters else offset}"'
        return style

    def xml(self) -> str:
        """Return the part of the file."""
        known = dict(enumerate([_GENERAL, _GENERAL, _WHOLE, _THOUSANDS]))
        used = sorted(self._used)[:_MOST_FORMATS]
        ids = known | {style: _FIRST_FORMAT + place for place, style in enumerate(used)}
        formats = [f'<numFmt numFmtId="{ids[style]}" formatCode="{attribute(self._used[style])}"/>' for style in used]
        cells = [_cell_format(style, ids.get(style, _GENERAL)) for style in range(max(self._used) + 1)]
        return _styles(formats, cells)


def styles_of(columns: Sequence[Column]) -> Styles:
    """Return the styles of a file with these columns, which may have currencies of their own."""
    own = {code.upper(): places for column in columns for code, places in column.exponents.items()}
    known = {code: places for code, places in (exponents() | own).items() if _ISO_4217.fullmatch(code)}
    return Styles(known, {code: place for place, code in enumerate(sorted(known))})


def _code(code: object) -> str:
    return code.upper() if isinstance(code, str) and code.isascii() else ""


def _currency_format(code: str, places: int, *, more: bool) -> str:
    decimals = f".{'0' * places}{'#' * (30 - places) if more else ''}" if places or more else ""
    return f"#,##0{decimals} [${code}]"


def _minutes(offset: str) -> int:
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    return (hours * 60 + minutes) * (-1 if offset[0] == "-" else 1)


def _cell_format(style: int, number_format: int) -> str:
    if style == BOLD:
        return '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    apply = ' applyNumberFormat="1"' if number_format else ""
    return f'<xf numFmtId="{number_format}" fontId="0" fillId="0" borderId="0" xfId="0"{apply}/>'


def _styles(formats: Sequence[str], cells: Sequence[str]) -> str:
    font = '<sz val="11"/><name val="Calibri"/><family val="2"/>'
    return (
        '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<numFmts count="{len(formats)}">{"".join(formats)}</numFmts>'
        f'<fonts count="2"><font>{font}</font><font><b/>{font}</font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f'<cellXfs count="{len(cells)}">{"".join(cells)}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
        '<dxfs count="0"/><tableStyles count="0" defaultTableStyle="TableStyleMedium9" '
        'defaultPivotStyle="PivotStyleLight16"/></styleSheet>'
    )
