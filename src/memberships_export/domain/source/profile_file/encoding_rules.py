"""What must fit together where rows are no objects inside a page."""

from collections.abc import Iterator

from memberships_export.domain.source.profile import Profile
from memberships_export.domain.source.profile_file.places import Broken, Place

_ENCODING: Place = ("rows", "encoding")
_PATH: Place = ("rows", "path")


def broken_by_encoding(profile: Profile) -> Iterator[Broken]:
    """Find what a profile says of pages that its rows have no place in."""
    rows = profile.rows
    if rows.columns_path is not None and rows.encoding != "arrays":
        text = 'is only read with encoding = "arrays": set that, or remove it'
        yield Broken(("rows", "columns_path"), text, (_ENCODING,))
    if rows.encoding == "arrays":
        yield from _broken_by_arrays(profile)
    if rows.encoding == "ndjson" and rows.path:
        yield Broken(_PATH, 'must be "" with encoding = "ndjson": each line is a row', (_ENCODING,))


def _broken_by_arrays(profile: Profile) -> Iterator[Broken]:
    if not profile.rows.path:
        text = "must lead to the rows, as the names of their columns stand beside them: the page is no array itself"
        yield Broken(_PATH, text, (_ENCODING,))
    if any(path.startswith("[") for path in profile.rows.key):  # others would have to be of the same form
        text = "begins with a place: what stands where in a row, the page says by the names of its columns"
        yield Broken(("rows", "key"), text, (_ENCODING,))
