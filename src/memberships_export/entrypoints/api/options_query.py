"""What the query of a GET says about a file, as the same JSON object that a POST sends."""

from collections.abc import Sequence
from typing import Any

from memberships_export.domain.errors import InvalidOptions
from memberships_export.domain.formats.problems import Problems, shown
from memberships_export.entrypoints.api.options_schemas import SCHEMAS

_SWITCHES = {"true": True, "false": False}
_FILTER = {
    "description": "Only some memberships, where the service has filters: `name:value`, once for each.",
    "schema": {"type": "array", "items": {"type": "string", "pattern": "^[^:]+:.+$"}},
}


def read_query(query: Sequence[tuple[str, str]]) -> dict[str, object]:
    """Read names and values, in the order of the query. What is no option goes along, to be refused by its name.

    `columns` has names with commas between them, or comes more than once; so does `filter`, with `name:value`.
    Raises InvalidOptions for the name that only JSON has.
    """
    values: dict[str, list[str]] = {}
    for name, value in query:
        values.setdefault(name, []).append(value)
    if "filters" in values:
        raise InvalidOptions([("filters", "In a query it is filter=name:value, once for each.")])
    return {_NAMES.get(name, name): _read(name, given) for name, given in values.items()}


def refuse_query(query: Sequence[tuple[str, str]]) -> None:
    """Raise InvalidOptions where a POST says in its query what belongs into its body: it would be left aside."""
    problem = "It is in the query: a POST says all in its JSON body."
    if query:
        raise InvalidOptions([(shown(name)[1:-1], problem) for name in dict(query[:_MOST])])


def refuse_others(query: Sequence[tuple[str, str]], known: Sequence[str]) -> None:
    """Raise InvalidOptions for names that the query of a route does not have: a slip would go unseen."""
    problems = Problems()
    for name, _ in query:
        if name not in known:
            problems.unknown(shown(name)[1:-1], name, known)
    problems.check()


def parameters() -> list[dict[str, Any]]:
    """Document the query."""
    plain = {name: schema for name, schema in SCHEMAS.items() if name not in {"columns", "filters"}}
    return [
        *(_parameter(name, schema) for name, schema in plain.items()),
        _parameter("columns", SCHEMAS["columns"]) | {"style": "form", "explode": False},
        {"name": "filter", "in": "query", "required": False, "style": "form", "explode": True, **_FILTER},
    ]


_NAMES = {"filter": "filters"}
_MOST = 20  # problems that are told


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    described = {key: value for key, value in schema.items() if key != "description"}
    return {"name": name, "in": "query", "required": False, "description": schema["description"], "schema": described}


def _read(name: str, given: Sequence[str]) -> object:
    """Read one name. A list where one value is needed is refused with all else that is wrong."""
    if name == "columns":
        names = ",".join(given).split(",")
        return [] if names == [""] else names
    if name == "filter":
        return _filters(given)
    values = [_SWITCHES.get(value.lower(), value) if name in {"bom", "guard"} else value for value in given]
    return values[0] if len(values) == 1 else values


def _filters(given: Sequence[str]) -> dict[str, object]:
    """Read `name:value`. A name that comes twice has a list, to be refused as any value that is no text."""
    read: dict[str, object] = {}
    for one in given:
        name, _, value = one.partition(":")
        read[name] = [read[name], value] if name in read else value
    return read
