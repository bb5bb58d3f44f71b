"""The rows of the small sheet that says what the file is."""

from datetime import datetime

from memberships_export.domain.formats.file_format import Plan
from memberships_export.domain.formats.xlsx.moments import moment_cell
from memberships_export.domain.formats.xlsx.styles import BOLD, INTEGER, Styles
from memberships_export.domain.formats.xlsx.texts import text_cells


def about_rows(plan: Plan, checksum: str | None, cut: int, styles: Styles) -> list[str]:
    """Return names and values as rows of XML. `checksum`: of the rows as CSV; `cut`: how many texts were too long."""
    about, zone = plan.about, plan.options.time_zone
    facts = [
        *about.facts,
        *([(about.checksum, checksum)] if checksum else []),
        *([(about.cut, cut)] if cut else []),
    ]
    return [f"<row>{_text(name, BOLD)}{_value(value, zone, styles)}</row>" for name, value in facts]


def _value(value: str | int | datetime, zone: str, styles: Styles) -> str:
    match value:
        case str():
            return _text(value)
        case int():
            return f'<c s="{INTEGER}"><v>{value}</v></c>'
        case datetime():
            return moment_cell(value, zone, styles)


def _text(text: str, style: int = 0) -> str:
    cells = text_cells([text], style)
    return f"{cells.before}{cells.values[0]}{cells.after}"
