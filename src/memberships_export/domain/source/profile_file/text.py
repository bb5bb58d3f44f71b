"""A profile as its author writes it, in TOML: read as a whole, or refused with all that is wrong."""

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from memberships_export.domain.source.profile import KnownProfile, Profile
from memberships_export.domain.source.profile_file.path_rules import places_of
from memberships_export.domain.source.profile_file.places import Place, written
from memberships_export.domain.source.profile_file.problems import ProfileInvalid
from memberships_export.domain.source.profile_file.rules import broken_rules
from memberships_export.domain.source.profile_file.shape import Wrong, shaped
from memberships_export.domain.source.profile_file.toml import fingerprint
from memberships_export.domain.source.reader import reader_of
from memberships_export.domain.source.row_types import Unreadable

Problem: TypeAlias = tuple[Place, str]  # where, and what is wrong there and the fix
_DEEPEST = 50  # tables and lists in each other; those of a query in json are a dozen
_MOST_DOTS = 500  # in a line: each may be a table in a table
MOST_TOLD = 50  # problems: a file with more of them is something else


def read_profile(text: str, name: str) -> KnownProfile:
    """Read the text of a profile; a byte order mark before it is no part of it. Raises ProfileInvalid."""
    text = text.removeprefix("\ufeff")
    tables = _tables(text)
    profile, wrong = shaped(tables)
    problems = [*((place, text) for place, text in wrong.items() if text), *_rules(profile, tables, wrong)]
    known = KnownProfile(name, text, fingerprint(text), profile)
    if problems := problems or list(_two_types(known, tables)):
        raise ProfileInvalid(_told(text, tables, problems))
    return known


def _tables(text: str) -> dict[str, Any]:
    try:
        text.encode()
        if max(line.count(".") for line in text.split("\n")) > _MOST_DOTS:
            raise RecursionError  # noqa: TRY301  (tomllib would go on for minutes)
        tables = tomllib.loads(text)
        if _is_deep(tables):
            raise RecursionError  # noqa: TRY301  (what reads it goes from table to table)
        return tables  # noqa: TRY300
    except UnicodeEncodeError:
        problem = "the file: is no Unicode text; save it as UTF-8"
    except RecursionError:
        problem = "the file: is nested too deeply; a profile has tables in tables, and no more"
    except ValueError as error:  # of TOML, or a number that is too long
        problem = f"the file: is not TOML: {error}. Texts stand in quotes; see https://toml.io"
    raise ProfileInvalid([problem])


def _is_deep(tables: dict[str, Any]) -> bool:
    inside: list[Any] = [tables]
    for _ in range(_DEEPEST):
        inside = [part for table in inside for part in _parts(table) if isinstance(part, dict | list)]
    return bool(inside)


def _parts(value: Any) -> Iterable[Any]:  # noqa: ANN401  (TOML)
    return value.values() if isinstance(value, dict) else value


def _rules(profile: Profile, tables: dict[str, Any], wrong: Wrong) -> Iterator[Problem]:
    """Return the rules that are broken. What follows from a place that is wrong itself says nothing new."""
    for broken in broken_rules(profile):
        if not any(_is_wrong(place, wrong) for place in (broken.place, *broken.because)):
            yield broken.place, broken.told(tables)


def _two_types(known: KnownProfile, tables: dict[str, Any]) -> Iterator[Problem]:
    """Compile it, as whoever reads by it will: what is read at one place for two reasons must fit both."""
    try:
        reader_of(known)
    except Unreadable as error:
        places = list(
            dict.fromkeys(place for path in (error.path, error.other) for place in places_of(known.profile, path))
        )
        others = ", ".join(written(place, tables) for place in places[:-1])
        yield places[-1], f"cannot be read beside {others}: {error.why}. Make the types the same, or leave one out"


def _is_wrong(place: Place, wrong: Wrong) -> bool:
    return any(place[:length] in wrong for length in range(1, len(place) + 1))


def _told(text: str, tables: dict[str, Any], problems: Sequence[Problem]) -> list[str]:
    """Put the problems into the order of the file."""
    from memberships_export.domain.source.profile_file.lines import lines_of  # noqa: PLC0415  (of a right one nobody asks)

    lines = lines_of(text)
    in_order = sorted(((lines.of(place), place, what) for place, what in problems), key=lambda problem: problem[0] or 0)
    told = [f"{written(place, tables)}{f' (line {line})' if line else ''}: {what}" for line, place, what in in_order]
    more = len(told) - MOST_TOLD
    return [*told[:MOST_TOLD], *([f"the file: has {more} more problems"] if more > 0 else [])]
