"""The tables of a profile, key by key: what is wrong is told in our words, and what is right is kept all the same."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, get_args, get_origin

from msgspec import NODEFAULT, Struct, ValidationError, convert
from msgspec.structs import FieldInfo, fields

from memberships_export.domain.source.profile import Profile
from memberships_export.domain.source.profile_file.places import Place
from memberships_export.domain.source.profile_file.words import a_value, expected, is_secret

Wrong: TypeAlias = dict[Place, str]  # what is wrong at each place, and the fix; empty: told at another one


_ENOUGH = 100  # problems: nobody reads what is said of more


def shaped(given: Mapping[str, Any]) -> tuple[Profile, Wrong]:
    """Return a profile of all that is right, with stand-ins for the rest, and what is wrong with the rest."""
    wrong: Wrong = {}
    return _table(Profile, given, (), wrong), wrong


def _table(kind: type[Struct], given: Any, place: Place, wrong: Wrong) -> Any:  # noqa: ANN401  (TOML, and a struct)
    if not isinstance(given, dict):
        wrong[place] = f"must be a table of keys; it is {a_value(given)}"
        return _stand_in(kind)
    keys = {field.encode_name: field for field in fields(kind)}
    tag = kind.__struct_config__.tag_field
    for unknown in (key for key in given if key not in keys and key != tag):
        meant = _meant(unknown, [*keys.keys() - given.keys()]) if len(wrong) < _ENOUGH else None
        wrong[*place, unknown] = _unknown(unknown, kind, place, meant)
        if meant:
            wrong[*place, meant] = ""  # told already
    return kind(**{field.name: _field(field, given, place, wrong) for field in keys.values()})


def _field(field: FieldInfo, given: Mapping[str, Any], place: Place, wrong: Wrong) -> Any:  # noqa: ANN401
    here = (*place, field.encode_name)
    if field.encode_name in given:
        return _value(field, given[field.encode_name], here, wrong)
    if field.required:
        wrong.setdefault(here, f"is missing: {expected(field.type)}")
    return _default(field)


def _value(field: FieldInfo, value: Any, place: Place, wrong: Wrong) -> Any:  # noqa: ANN401, PLR0911  (one for each)
    tables = _tables_of(field.type)
    if get_origin(field.type) is not None and tables and _repeated(field.type):
        return _list(field, tables[0], value, place, wrong)
    if get_origin(field.type) is dict and tables:
        return _named_tables(tables[0], value, place, wrong)
    if len(tables) > 1:
        return _one_of(tables, value, place, wrong)
    if tables:
        return _table(tables[0], value, place, wrong)
    if get_origin(field.type) is dict and isinstance(value, dict):
        return _entries(get_args(field.type)[1], value, place, wrong)
    try:
        return convert(value, field.type)
    except ValidationError:
        there = "what is there is not shown" if is_secret(field.type) else f"it is {a_value(value)}"
        wrong[place] = f"must be {expected(field.type)}; {there}"
        return _default(field)


def _entries(kind: Any, given: Mapping[str, Any], place: Place, wrong: Wrong) -> dict[str, Any]:  # noqa: ANN401
    right = {}
    for key, value in given.items():
        try:
            right[key] = convert(value, kind)
        except ValidationError:
            wrong[*place, key] = f"must be {expected(kind)}; it is {a_value(value)}"
            wrong[place] = ""  # what is left says nothing about all of it
    return right


def _named_tables(kind: type[Struct], value: Any, place: Place, wrong: Wrong) -> Any:  # noqa: ANN401
    if not isinstance(value, dict):
        wrong[place] = f"must be a table of tables, each under its name; it is {a_value(value)}"
        return {}
    return {name: _table(kind, one, (*place, name), wrong) for name, one in value.items()}


def _list(field: FieldInfo, kind: type[Struct], value: Any, place: Place, wrong: Wrong) -> Any:  # noqa: ANN401
    if not isinstance(value, list) or not value:
        wrong[place] = f"must be a list of at least one table; it is {a_value(value)}"
        return _default(field)
    return tuple(_table(kind, one, (*place, at), wrong) for at, one in enumerate(value))


def _one_of(kinds: list[type[Struct]], value: Any, place: Place, wrong: Wrong) -> Any:  # noqa: ANN401
    """Make the table that its `type` names."""
    if not isinstance(value, dict):
        wrong[place] = f"must be a table with a type; it is {a_value(value)}"
        return _stand_in(kinds[0])
    by_tag = {kind.__struct_config__.tag: kind for kind in kinds}
    tag, known = value.get("type"), ", ".join(map(str, by_tag))
    if isinstance(tag, str) and tag in by_tag:
        return _table(by_tag[tag], value, place, wrong)
    is_there = f"must be one of {known}; it is {a_value(tag)}" if "type" in value else f"is missing: one of {known}"
    wrong[*place, "type"] = is_there
    wrong[place] = ""  # nothing else can be said about a table of no type
    return _stand_in(kinds[0])


def _meant(key: str, missing: list[str]) -> str | None:
    """Return which of the keys that are not there is much like this one."""
    import difflib  # noqa: PLC0415  (who makes no mistake does not wait for it at start)

    return next(iter(difflib.get_close_matches(key, missing, n=1, cutoff=0.7)), None)


def _unknown(key: str, kind: type[Struct], place: Place, meant: str | None) -> str:
    if len(place) == 1 and key in Profile.__struct_encode_fields__:
        return f"does not belong in [{place[0]}]: {key} stands above the first [table] of the file, or as {_own(key)}"
    tag = kind.__struct_config__.tag
    of = f" of the type {tag}" if tag else ""
    known = [*kind.__struct_encode_fields__, *(["type"] if tag else [])]
    return f"is no key{of}: did you mean {meant}?" if meant else f"is no key{of}: there are {', '.join(known)}"


def _own(key: str) -> str:
    return "[[columns]]" if key == "columns" else f"[{key}]"


def _tables_of(kind: Any) -> list[type[Struct]]:  # noqa: ANN401  (a type, as annotated)
    """Return the structs that a type is made of; none for a plain value."""
    if isinstance(kind, type) and get_origin(kind) is None:
        return [kind] if issubclass(kind, Struct) else []
    return [table for part in get_args(kind) for table in _tables_of(part)]


def _repeated(kind: Any) -> bool:  # noqa: ANN401
    return any(get_origin(part) is tuple for part in (kind, *get_args(kind)))


def _default(field: FieldInfo) -> Any:  # noqa: ANN401
    if field.default is not NODEFAULT:
        return field.default
    if field.default_factory is not NODEFAULT:
        return field.default_factory()
    if _repeated(field.type):
        return ()
    tables = _tables_of(field.type)
    return _stand_in(tables[0]) if tables else ""


def _stand_in(kind: type[Struct]) -> Any:  # noqa: ANN401
    make: Callable[..., Any] = kind
    return make(**{field.name: _default(field) for field in fields(kind)})
