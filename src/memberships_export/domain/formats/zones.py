"""Time zones by their names in the IANA database, as people look for them."""

from collections.abc import Iterable

from memberships_export.domain.formats.options import ZoneNames
from memberships_export.domain.formats.problems import LONGEST_NAME
from memberships_export.domain.source.columns.dates import is_zone

# The system's own zone, what stands for no zone, and second sets with other rules: in its folders, but no places.
_NO_PLACES = ("Factory", "localtime", "posixrules")
_NO_REGIONS = ("posix/", "right/")


def places(names: Iterable[str]) -> list[str]:
    """Return the zones of places, and UTC, in order."""
    return sorted(filter(_is_place, names))


def is_known_zone(name: str) -> bool:
    """Tell whether it is the name of a zone, to the letter. It is the quick way to ask."""
    return len(name) <= LONGEST_NAME and _is_place(name) and is_zone(name)


def find_zone(said: str, names: ZoneNames) -> str | None:
    """Return the name of a zone as the database spells it; None when it has none of this name."""
    if len(said) > LONGEST_NAME:
        return None
    if is_known_zone(said):
        return said
    return {name.casefold(): name for name in places(names())}.get(said.casefold())


def search_zones(text: str, names: Iterable[str], limit: int) -> list[str]:
    """Return zones that have the text anywhere: first the one of this name, then those where it is at a beginning.

    Upper and lower case are the same, and a blank is the underscore of the names.
    """
    meant = text.strip().casefold().replace(" ", "_")
    found = [name for name in places(names) if meant in name.casefold()]
    return sorted(found, key=lambda name: _how_far(meant, name.casefold()))[:limit]


def _how_far(meant: str, name: str) -> int:
    """Rank a name that has the text: itself, one of its parts, at a beginning, anywhere."""
    parts = [name, *name.split("/")[1:]]
    return [name == meant, meant in parts, any(part.startswith(meant) for part in parts), True].index(True)


def _is_place(zone: str) -> bool:
    return zone not in _NO_PLACES and not zone.startswith(_NO_REGIONS)
