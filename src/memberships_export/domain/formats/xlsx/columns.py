"""Columns of a profile as columns of a sheet, by what they hold."""

from collections.abc import Sequence
from typing import Any

from memberships_export.domain.formats.xlsx.cells import Cells, of_distinct
from memberships_export.domain.formats.xlsx.moments import date_cells, date_or_text_cells, instant_cells
from memberships_export.domain.formats.xlsx.numbers import amount_cells, integer_cells
from memberships_export.domain.formats.xlsx.styles import Styles
from memberships_export.domain.formats.xlsx.texts import text_cells
from memberships_export.domain.source.columns.values import INSTANTS
from memberships_export.domain.source.profile import Column
from memberships_export.domain.source.reader import Table

_WIDTHS = {"integer": 12.0, "decimal": 14.0, "minor_units": 14.0, "boolean": 10.0, "date": 12.0, "date_or_text": 20.0}
_TIME, _UUID, _NAME, _TEXT = 21.0, 38.0, 30.0, 18.0
_NAMES = ("name", "title", "mail", "address", "description", "note")
_BESIDE_HEADING = 4  # the button of the filter, and bold letters
_WIDEST = 60.0


def cells_of_table(table: Table, zone: str, styles: Styles) -> list[Cells]:
    """Return the columns of a table; points in time in the zone."""
    currencies = table.currencies or [None] * len(table.columns)
    return [
        _cells(column, texts, codes, zone, styles)
        for column, texts, codes in zip(table.columns, table.cells, currencies, strict=True)
    ]


def width_of(column: Column, heading: str) -> float:
    """Return how wide the column is shown, in characters. The sheet begins with it, before any value is known."""
    return min(max(_usual_width(column), len(heading) + _BESIDE_HEADING), _WIDEST)


def _cells(  # noqa: PLR0911  (one line for each type)
    column: Column, texts: Sequence[str | None], currencies: Sequence[Any] | None, zone: str, styles: Styles
) -> Cells:
    match _kind(column):
        case "integer":
            return integer_cells(texts)
        case "decimal" | "minor_units":
            return amount_cells(texts, currencies, styles)
        case "boolean":
            return of_distinct(texts, lambda text: f'<c t="b"><v>{int(text == "true")}</v></c>')
        case "date":
            return date_cells(texts, zone, styles)
        case "datetime" | "epoch" | "epoch_ms":
            return instant_cells(texts, zone, styles)
        case "date_or_text":
            return date_or_text_cells(texts, zone, styles)
        case _:
            return text_cells(texts)


def _kind(column: Column) -> str:
    """Return what all of the column's values are: names and lists of them are texts."""
    return "text" if column.map or column.join is not None else column.type


def _usual_width(column: Column) -> float:
    kind, name = _kind(column), column.name.lower()
    if kind in INSTANTS:
        return _TIME
    if kind in _WIDTHS:
        return _WIDTHS[kind]
    if "uuid" in name or "guid" in name:
        return _UUID
    return _NAME if any(part in name for part in _NAMES) else _TEXT
