"""Which columns of a profile a file has, and in which order."""

from collections.abc import Sequence

from memberships_export.domain.errors import ColumnsGone
from memberships_export.domain.source.profile import Column


def places_of(columns: Sequence[Column], names: Sequence[str]) -> list[int]:
    """Return the places of the columns of these names, in their order; of all columns when none is named.

    Raises ColumnsGone: names are checked when an export is asked for, and the profile may be another one since.
    """
    known = {column.name: place for place, column in enumerate(columns)}
    gone = [name for name in names if name not in known]
    if gone:
        raise ColumnsGone(f"The profile has no column {', '.join(gone)} any more: ask for a new export.")
    return [known[name] for name in names] if names else list(known.values())
