"""Paths compiled to msgspec types, once: pages are decoded straight into objects that hold just what is read of them.

The paths form a tree. An object on it becomes a struct with the fields that some path names, an array a list whose
elements are all read alike. What no path leads to is never made. A field is named after the name in JSON, in hex.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import astuple

Steps = tuple[str | int, ...]
_Rest = list[tuple[Steps, "Use"]]


class Unreadable(Exception):
    """Two paths cannot both be read."""

    def __init__(self, path: str, other: str, why: str) -> None:
        """`path` and `other` as they are written in the profile."""
        self.path, self.other, self.why = path, other, why
        super().__init__(f"{path} and {other} cannot both be read: {why}")


class Use(Struct, frozen=True):
    """A place that is read: what may be there, and whether it may be null or missing."""

    path: str  # as it is written
    steps: Steps
    kind: Any  # a type for msgspec
    null: bool = True
    missing: bool = False


def type_of(uses: Iterable[Use]) -> Any:  # noqa: ANN401  (a type)
    """Return the type of a value in which all these places are read. Raises Unreadable."""
    return _type([(use.steps, use) for use in uses], free=False)


def type_of_arrays(uses: Sequence[Use], names: Sequence[str]) -> Any:  # noqa: ANN401  (a type)
    """Return the type of an array in which these are the places' names, read like an object with such fields.

    Raises msgspec.ValidationError when one that must be there is not among them.
    """
    fields, absent = [], {}
    known = {name: (kind, missing) for name, kind, missing in _members([(use.steps, use) for use in uses], free=False)}
    for name, (_, missing) in known.items():
        if name not in names and not missing:
            raise msgspec.ValidationError(f"it has no column {name}")
        if name not in names:
            absent[_field(name)] = UNSET
    for place, name in enumerate(names):
        kind, _ = known.get(name, (msgspec.Raw, False))
        fields.append((_field(name) if name in known else f"unread{place}", kind))
    return msgspec.defstruct(
        "ReadArray", fields, array_like=True, forbid_unknown_fields=True, gc=False, namespace=absent
    )


def values_at(steps: Steps) -> Callable[[Sequence[Any]], list[Any]]:
    """Return what takes the values at one place out of many rows; UNSET where one is missing."""
    fields = _fields(steps)
    if not steps or any(isinstance(step, int) for step in steps):
        return lambda rows: [_walk(row, fields) for row in rows]
    take = attrgetter(".".join(map(str, fields)))

    def values(rows: Sequence[Any]) -> list[Any]:
        try:
            return list(map(take, rows))
        except AttributeError:  # something on the way is null or missing
            return [_walk(row, fields) for row in rows]

    return values


def by_field(rows: Sequence[Any]) -> Mapping[str, Sequence[Any]]:
    """Return the values of all fields of structs: for many fields much quicker than one after the other."""
    if not rows or not isinstance(rows[0], Struct):
        return {}
    return dict(zip(rows[0].__struct_fields__, zip(*map(astuple, rows), strict=True), strict=True))


def field_of(steps: Steps) -> str:
    """Return the field of a struct that has the value at this place; empty where that is not one field."""
    return _field(steps[0]) if len(steps) == 1 and isinstance(steps[0], str) else ""


def value_at(value: Any, steps: Steps) -> Any:  # noqa: ANN401  (any JSON)
    """Return the value at one place; UNSET when it is missing."""
    return _walk(value, _fields(steps))


def _walk(value: Any, fields: Steps) -> Any:  # noqa: ANN401  (any JSON)
    for step in fields:
        if value is None or value is UNSET:
            return value
        if isinstance(step, str):
            value = getattr(value, step)
        elif step < len(value):
            value = value[step]
        else:
            return UNSET
    return value


def _fields(steps: Steps) -> Steps:
    return tuple(_field(step) if isinstance(step, str) else step for step in steps)


def _field(name: str) -> str:
    return f"f{name.encode().hex()}"


def _type(uses: _Rest, *, free: bool) -> Any:  # noqa: ANN401  (a type)
    """`free`: inside an array, whose other elements may lack what is read of one."""
    forms = {_form(steps): use for steps, use in uses}
    if len(forms) > 1:
        first, other, *_ = forms.values()
        raise Unreadable(first.path, other.path, "one is a part of the other, or a place in it where it has names")
    (form,) = forms
    if form == "value":
        return _narrowest([use for _, use in uses])
    if form == "array":
        inside = [(rest[1:], use) for rest, use in uses]
        return list[_optional(_type(inside, free=True), null=True, missing=False)]  # type: ignore[misc]
    return _struct(uses, free=free)


def _form(steps: Steps) -> str:
    if not steps:
        return "value"
    return "array" if isinstance(steps[0], int) else "object"


def _struct(uses: _Rest, *, free: bool) -> Any:  # noqa: ANN401  (a type)
    fields: list[Any] = []
    for name, kind, missing in _members(uses, free=free):
        fields.append((_field(name), kind, UNSET) if missing else (_field(name), kind))
    names = {_field(str(steps[0])): str(steps[0]) for steps, _ in uses}
    return msgspec.defstruct("Read", fields, rename=names, kw_only=True, gc=False)


def _members(uses: _Rest, *, free: bool) -> Iterator[tuple[str, Any, bool]]:
    """Give the name of each member that is read, its type, and whether it may be missing."""
    for name in dict.fromkeys(str(steps[0]) for steps, _ in uses):
        below = [(steps[1:], use) for steps, use in uses if steps[0] == name]
        null = free or all(use.null for _, use in below)
        missing = free or all(use.missing for _, use in below)
        yield name, _optional(_type(below, free=free), null=null, missing=missing), missing


def _optional(kind: Any, *, null: bool, missing: bool) -> Any:  # noqa: ANN401  (a type)
    if kind is msgspec.Raw:
        return kind  # null is JSON too; in a union msgspec would forget that anything else is
    others = [other for other, wanted in ((None, null), (UnsetType, missing)) if wanted]
    return Union[(kind, *others)]


def _narrowest(uses: Sequence[Use]) -> Any:  # noqa: ANN401  (a type)
    """Of what is read at one place for several reasons, take what fits all of them."""
    uses = [use for use in uses if use.kind is not Any] or uses
    narrow = min(uses, key=lambda use: len(_accepted(use.kind)))
    for use in uses:
        if not _accepted(narrow.kind) <= _accepted(use.kind):
            raise Unreadable(narrow.path, use.path, "it would have to be of two types")
    return narrow.kind


def _accepted(kind: Any) -> frozenset[Any]:  # noqa: ANN401  (a type)
    if get_origin(kind) is Annotated:
        return _accepted(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return frozenset().union(*map(_accepted, get_args(kind)))
    return frozenset({kind})
