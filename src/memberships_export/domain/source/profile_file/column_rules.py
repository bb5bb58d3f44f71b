"""Columns of a profile: which keys go together with which type."""

import re
from collections.abc import Iterator, Mapping
from typing import get_args

from memberships_export.domain.source.columns.dates import is_zone
from memberships_export.domain.source.profile import Column, Kind, Profile
from memberships_export.domain.source.profile_file.places import Broken, Place

# The keys that only some types have. `path` is any but a constant's.
_ONLY_WITH = {
    "map": tuple(kind for kind in get_args(Kind) if kind != "constant"),
    "join": ("text",),
    "zone": ("date", "datetime"),
    "currency": ("minor_units", "decimal"),
    "exponent": ("minor_units",),
    "exponents": ("minor_units",),
    "value": ("constant",),
}
_CODE = 3  # letters of ISO 4217
_LANGUAGE = "[a-z]{2}(-[A-Z]{2})?"  # ISO 639-1, ISO 3166-1


def broken_by_columns(profile: Profile) -> Iterator[Broken]:
    """Find columns of one name, and in each what does not fit its type."""
    known: dict[str, Place] = {}
    for at, column in enumerate(profile.columns):
        place = ("columns", at)
        first = known.setdefault(column.name, place)
        if first != place:
            yield Broken((*place, "name"), "is the name of {other} too: give each its own", ((*first, "name"),))
        for key, text in _problems(column):
            yield Broken((*place, key), text, ((*place, "type"),))


def _problems(column: Column) -> Iterator[tuple[str, str]]:
    """Tell keys, and what is wrong there."""
    if not column.name.isprintable() or column.name != column.name.strip():
        yield "name", "must be one line of text, without blanks around it: it heads the column"
    yield from _out_of_place(column)
    if column.type == "minor_units":
        yield from _money(column)
    if column.type == "constant":
        yield from _constant(column)
    if column.required and column.optional:
        yield "optional", "does not go with required: a value that may be missing is not required. Remove one"
    if column.zone is not None and not is_zone(column.zone):
        yield "zone", f'"{column.zone[:40]}" is no time zone: write one of the IANA database, such as "Europe/Zurich"'
    yield from (("labels", text) for text in broken_labels(column.labels))


def _out_of_place(column: Column) -> Iterator[tuple[str, str]]:
    for key, types in _ONLY_WITH.items():
        there = getattr(column, key)
        if there is not None and there != {} and column.type not in types:
            yield key, f"is only for {_listed(types)}, and this column is {column.type}: remove it, or change the type"


def _listed(words: tuple[str, ...]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _money(column: Column) -> Iterator[tuple[str, str]]:
    if column.currency is None and column.exponent is None:
        text = "is missing: money in minor units needs currency, the path to its ISO 4217 code, or exponent, such as 2"
        yield "currency", text
    if column.currency is not None and column.exponent is not None:
        yield (
            "exponent",
            "does not go with currency, which has one of its own: remove one; exponents can differ by code",
        )
    if column.exponents and column.currency is None:
        yield "exponents", "needs currency, the path to the code by which an exponent is chosen"
    for code in column.exponents:
        if not (len(code) == _CODE and code.isascii() and code.isupper()):
            yield "exponents", f'"{code[:40]}" is no code of ISO 4217: write its three capital letters, such as CHF'


def _constant(column: Column) -> Iterator[tuple[str, str]]:
    if column.value is None:
        yield "value", "is missing: it is what a column of the type constant holds in each row"
    if column.path is not None:
        yield "path", "does not go with the type constant, which is nowhere in the answer: remove it"


def broken_labels(labels: Mapping[str, str]) -> Iterator[str]:
    """Tell what is wrong with texts by language."""
    for language, label in labels.items():
        if not re.fullmatch(_LANGUAGE, language):
            yield f'"{language[:40]}" is no language: write its two letters, with those of a region or not: de, de-CH'
        if not label or not label.isprintable() or label != label.strip():
            yield f"{language[:40]} must be one line of text, without blanks around it"
