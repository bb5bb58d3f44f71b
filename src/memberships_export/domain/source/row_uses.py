"""What is read of each row, and for what: keys, the owner, and the columns with their currencies."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from memberships_export.domain.source.columns.values import raw_type
from memberships_export.domain.source.paths import parse_path
from memberships_export.domain.source.profile import Column, Profile
from memberships_export.domain.source.row_types import Steps, Use

_Id = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | str
_SOME_ID = "text or a whole number"


class Read(Struct, frozen=True):
    """A place that is read: `about` what, and what is there in the words of the profile."""

    about: str
    says: str
    use: Use


def reads_of_rows(profile: Profile) -> list[Read]:
    """List all that is read of a row."""
    ids = [
        *(("key", path) for path in profile.rows.key),
        *([("owner", profile.rows.owner)] if profile.rows.owner else []),
    ]
    reads = [Read(about, _SOME_ID, Use(path, parse_path(path), _Id, null=False)) for about, path in ids]
    for column in profile.columns:
        reads += reads_of_column(column)
    return reads


def reads_of_column(column: Column) -> list[Read]:
    """List what is read for a column: its value, and the currency of that."""
    reads = []
    if column.type != "constant":
        use = Use(
            column.path or column.name,
            steps_of(column),
            raw_type(column),
            null=not column.required,
            missing=column.optional,
        )
        reads.append(Read(column.name, "a list of texts to join" if column.join is not None else column.type, use))
    if column.currency:
        # Without its currency an amount of minor units is none. An amount with a point needs none.
        kind = str if column.type == "minor_units" else Any
        use = Use(column.currency, parse_path(column.currency), kind, missing=True)
        reads.append(Read(column.name, "a currency", use))
    return reads


def steps_of(column: Column) -> Steps:
    """Return where a column is in a row: at its path, else at its name as it is."""
    return (column.name,) if column.path is None else parse_path(column.path)
