"""What a key of a profile may be, and what it is instead, in words for the person who writes the file."""

import json
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from msgspec import Meta

from memberships_export.domain.source.profile import Path, SecretRef, SecretRefOrNothing, Text

_SHOWN = 40  # characters of a value
_LONG = 10**18
_REFERENCE = "env:NAME or secret:ID, which say where the secret is; the secret itself never stands in this file"
# As what an annotation is written in profile.py.
_NAMED: Mapping[Any, str] = {
    Text: "a text",
    Path: "a path such as plan.amount",
    SecretRef: _REFERENCE,
    SecretRefOrNothing: _REFERENCE,
    str: "a text",
    str | int | bool: "a text, a whole number, true or false",
    int: "a whole number",
    bool: "true or false",
    Any: "anything",
}
_MANY: Mapping[Any, str] = {
    Path: "paths",
    str: "texts",
    int: "whole numbers",
    str | int | bool: "texts, whole numbers, true or false",
}


def expected(kind: Any) -> str:  # noqa: ANN401  (a type, as annotated)
    """Return what a value of this type is."""
    kind = _when_there(kind)
    if kind in _NAMED:
        return _NAMED[kind]
    plain, *metas = get_args(kind) if hasattr(kind, "__metadata__") else (kind,)
    numbers = next((meta for meta in metas if isinstance(meta, Meta) and meta.ge is not None), None)
    if numbers:
        return f"a whole number from {numbers.ge} to {numbers.le}"
    return _several(plain)


def is_secret(kind: Any) -> bool:  # noqa: ANN401
    """Tell a key in whose place somebody may have written a secret."""
    return kind in (SecretRef, SecretRefOrNothing)


def a_value(value: object) -> str:
    """Show a value of TOML, shortened."""
    match value:
        case int() if abs(value) >= _LONG:  # Python refuses to write out the longest ones
            return "a number of 19 digits or more"
        case bool() | int() | float() | str():
            text = json.dumps(value, ensure_ascii=False)
            return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        case list():
            return "a list" if value else "an empty list"
        case dict():
            return "a table"
        case None:
            return "missing"
    return "a date or time, which TOML knows without quotes"


def _when_there(kind: Any) -> Any:  # noqa: ANN401
    alternatives = [given for given in get_args(kind) if given is not type(None)]
    return alternatives[0] if type(None) in get_args(kind) else kind


def _several(kind: Any) -> str:  # noqa: ANN401
    arguments = get_args(kind)
    if get_origin(kind) is dict:
        return f"a table of {_MANY[arguments[1]]}" if arguments[1] in _MANY else "a table"
    if get_origin(kind) is tuple:
        many = _MANY.get(arguments[0])
        return f"a list of {many}, in brackets even if it is one" if many else "a list of tables"
    if get_origin(kind) is not Literal:
        return "a table with a type" if arguments else "a table"
    choices = [json.dumps(choice) for choice in arguments]
    return f"one of {', '.join(choices)}" if len(choices) > 1 else choices[0]
