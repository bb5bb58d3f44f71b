"""What the raw value of a column becomes: each type of column, and the choice among them.

Null, missing, 0, false and empty text are five things: 0 is "0", false is "false", empty text is empty, and null and
missing are None.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta
from msgspec import Raw as RawJson

from memberships_export.domain.source.columns.column_texts import BadValue, Raw, Values
from memberships_export.domain.source.columns.dates import to_utc, zone_of
from memberships_export.domain.source.columns.decimals import Decimals
from memberships_export.domain.source.columns.epochs import from_milliseconds, from_seconds
from memberships_export.domain.source.columns.mapped import Joined, Mapped
from memberships_export.domain.source.columns.minor_units import minor_units
from memberships_export.domain.source.columns.plain_values import Constant, Converted, JsonTexts, Texts
from memberships_export.domain.source.paths import parse_path
from memberships_export.domain.source.profile import Column

__all__ = [
    "NUMBERS",
    "BadValue",
    "Raw",
    "Values",
    "is_date",
    "is_instant",
    "is_number",
    "needs_check",
    "raw_type",
    "values_of",
]

NUMBERS = frozenset({"integer", "decimal", "minor_units"})
INSTANTS = frozenset({"datetime", "epoch", "epoch_ms"})
_Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_RAW_TYPES: Mapping[str, Any] = {
    "text": str,
    "integer": _Int64,
    "decimal": RawJson,
    "minor_units": int | str,
    "boolean": bool,
    "date": str,
    "datetime": str,
    "date_or_text": str,
    "epoch": int | str,
    "epoch_ms": int | str,
    "constant": Any,
}
_TEXT_AS_IT_IS = frozenset({"text", "date_or_text", "integer", "boolean"})


def is_number(column: Column) -> bool:
    """Return whether all texts of the column are numbers: such a cell can be no formula."""
    return column.type in NUMBERS and not column.map and column.join is None


def is_boolean(column: Column) -> bool:
    """Return whether all texts of the column are `true` or `false`."""
    return column.type == "boolean" and not column.map and column.join is None


def is_instant(column: Column) -> bool:
    """Return whether the column holds points in time, which a zone moves; a date alone stays what it is."""
    return column.type in INSTANTS and not column.map and column.join is None


def is_date(column: Column) -> bool:
    """Return whether the column holds dates, among which times may be."""
    return column.type == "date" and not column.map and column.join is None


def raw_type(column: Column) -> Any:  # noqa: ANN401  (a type, which may be a union)
    """Return what msgspec decodes the values to, null and missing aside."""
    if column.join is not None:
        return list[int | str | bool] if column.map else list[int | str]
    if not column.map or column.type == "decimal":
        return _RAW_TYPES[column.type]
    return int | str | bool if column.type in _TEXT_AS_IT_IS else int | str


def needs_check(values: Values) -> bool:
    """Tell whether decoding leaves something to check."""
    return not isinstance(values, Constant | Joined | JsonTexts | Texts)


def values_of(column: Column) -> Values:
    """Return the column's values: what its type makes of them, after `map` has named some of them.

    Raises ValueError for a zone that does not exist.
    """
    if column.join is not None:
        return Joined(column.join, column.map)
    plain = _of_type(column)
    return Mapped(column.map, plain) if column.map else plain


def _may_lack(column: Column) -> bool:
    """Return whether decoding lets rows through in which the column is missing; in lists it always does."""
    return column.optional or any(isinstance(step, int) for step in parse_path(column.path or ""))


def _of_type(column: Column) -> Values:  # noqa: PLR0911  (one line for each type)
    match column.type:
        case "text" | "date_or_text":
            return JsonTexts() if column.map else Texts(_may_lack(column))
        case "integer" | "boolean":
            return JsonTexts((int if column.type == "integer" else bool) if column.map else None)
        case "decimal":
            return Decimals(column.required)
        case "minor_units":
            return minor_units(column)
        case "date" | "datetime":
            zone = zone_of(column.zone) if column.zone else None
            return Converted(lambda values: to_utc(values, zone))
        case "epoch":
            return Converted(from_seconds)
        case "epoch_ms":
            return Converted(from_milliseconds)
        case "constant":
            return Constant(column.value or "")
