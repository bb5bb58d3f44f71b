"""Paths of a profile: each must be one, and no value can be two things at once."""

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from memberships_export.domain.source.paths import PathInvalid, parse_path
from memberships_export.domain.source.profile import Profile
from memberships_export.domain.source.profile_file.places import Broken, Place
from memberships_export.domain.source.row_encodings import named_at

Steps: TypeAlias = tuple[str | int, ...]
_UNREADABLE = re.compile(r'["\\\x00-\x1f]')  # in the names of what msgspec decodes
_PATH_KEYS = ("next_url_path", "cursor_path", "has_more_path")


def broken_by_paths(profile: Profile) -> Iterator[Broken]:
    """Find texts that are no paths, and paths of which only one can lead somewhere."""
    yield from _broken(_in_page(profile), inside="")
    yield from _broken([*_in_row(profile), *_named_columns(profile)], inside=" of a row")


def places_of(profile: Profile, path: str) -> list[Place]:
    """Return where a path, or the name of a column without one, is written."""
    named = [(place, str(*steps)) for place, steps in _named_columns(profile)]
    return [place for place, written in [*_in_page(profile), *_in_row(profile), *named] if written == path]


def _in_page(profile: Profile) -> Sequence[tuple[Place, str]]:
    """Return the paths from the top of an answer: where they are written, and as they are."""
    found: list[tuple[Place, str | None]] = [(("rows", "path"), profile.rows.path)]
    in_use = profile.rows.encoding == "arrays" and profile.rows.path  # then also where the profile does not say it
    found.append((("rows", "columns_path"), named_at(profile) if in_use else profile.rows.columns_path))
    found.append((("request", "errors_path"), profile.request.errors_path))
    found += [(("paginator", key), getattr(profile.paginator, key, None)) for key in _PATH_KEYS]
    found.append((("total", "path"), profile.total.path if profile.total else None))
    return [(place, path) for place, path in found if path is not None]


def _in_row(profile: Profile) -> Sequence[tuple[Place, str]]:
    """Return the paths from the top of a row."""
    found: list[tuple[Place, str | None]] = [(("rows", "key"), path) for path in profile.rows.key]
    found.append((("rows", "owner"), profile.rows.owner))
    for at, column in enumerate(profile.columns):
        found += [(("columns", at, "path"), column.path), (("columns", at, "currency"), column.currency)]
    return [(place, path) for place, path in found if path is not None]


def _named_columns(profile: Profile) -> Sequence[tuple[Place, Steps]]:
    """Return the columns without a path: they lie under their name as it is."""
    columns = enumerate(profile.columns)
    return [
        (("columns", at, "name"), (column.name,))
        for at, column in columns
        if column.path is None and column.type != "constant"
    ]


def _broken(paths: Sequence[tuple[Place, str | Steps]], inside: str) -> Iterator[Broken]:
    known: dict[Steps, Place] = {}
    for place, path in paths:
        try:
            steps = parse_path(path) if isinstance(path, str) else path
        except PathInvalid as error:
            yield Broken(place, f"is no path: {error}")
            continue
        if any(isinstance(step, str) and _UNREADABLE.search(step) for step in steps):
            yield Broken(
                place, f'names something with ", \\ or a control character in it{inside}, which cannot be read'
            )
        elif not steps and place != ("rows", "path"):
            yield Broken(place, f"names nothing: write the path{inside} to what is meant")
        else:
            known.setdefault(steps, place)
    yield from _clashes(known)


def _clashes(known: dict[Steps, Place]) -> Iterator[Broken]:
    """Compare each path with those above it, and with the first one that goes the same way."""
    ways: dict[Steps, tuple[type, Place]] = {}
    told: set[Steps] = set()
    for steps, place in known.items():
        for depth, step in enumerate(steps):
            above = steps[:depth]
            if above in told:
                break
            if above in known:
                told.add(above)
                text = (
                    "cannot be read beside {other}: one is a part of the other. Name what lies inside in both, or one"
                )
                yield Broken(place, text, (known[above],))
                break
            form, other = ways.setdefault(above, (type(step), place))
            if form is not type(step):
                yield Broken(place, "goes into a list where {other} goes into an object: one is wrong", (other,))
                break
