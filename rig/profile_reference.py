"""What a profile may say, made of its types: the JSON Schema for editors, and the tables of docs/profiles.md.

`python -m rig.profile_reference` writes both. A test tells when they are not what this would write.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from memberships_export.domain.source import profile
from memberships_export.domain.source.profile_file.words import expected
from rig.profile_keys import KEYS

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "src" / "memberships_export" / "shipped" / "profile.schema.json"
PAGE = ROOT / "docs" / "profiles.md"
TABLES = re.compile(r"(?<=<!-- These tables are written by `python -m rig\.profile_reference`\. -->\n\n).*", re.DOTALL)
_TITLES = {
    profile.Profile: "The file",
    profile.Request: "`[request]`",
    **{kind: f'`[auth]` with `type = "{kind.__struct_config__.tag}"`' for kind in get_args(profile.Auth)},
    profile.Rows: "`[rows]`",
    profile.Paginator: "`[paginator]` of every type but single_page",
    **{kind: f'`[paginator]` with `type = "{kind.__struct_config__.tag}"`' for kind in get_args(profile.AnyPaginator)},
    profile.Total: "`[total]`",
    profile.Column: "`[[columns]]`",
    profile.Filter: "`[filters.NAME]`",
}


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the file. TOML has no null: a key is there or not."""
    made = _without_null(msgspec.json.schema(profile.Profile))
    for name, table in made["$defs"].items():
        properties = table["properties"]
        for key, text in KEYS[name].items():
            properties[key] = {"description": text, **_alone(properties[key])}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Profile of a memberships API"}
    return {**head, **made}


def schema_text() -> str:
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def tables() -> str:
    return "\n\n".join(_section(kind, title) for kind, title in _TITLES.items()) + "\n"


def _without_null(value: Any) -> Any:  # noqa: ANN401  (JSON)
    if isinstance(value, list):
        return [_without_null(part) for part in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _without_null(part) for key, part in value.items() if key != "discriminator"}
    if kept.get("default", 0) is None:
        del kept["default"]
    if isinstance(choices := kept.get("anyOf"), list) and {"type": "null"} in choices:
        (kept["anyOf"],) = ([choice for choice in choices if choice != {"type": "null"}],)
        if len(kept["anyOf"]) == 1:
            (only,) = kept.pop("anyOf")
            return {**only, **kept}
    return kept


def _alone(described: dict[str, Any]) -> dict[str, Any]:
    """Leave out the description of the type: that of the key says more."""
    return {key: value for key, value in described.items() if key != "description"}


def _section(kind: type[Struct], title: str) -> str:
    head = f"### {title}\n\n{(kind.__doc__ or '').strip()}"
    rows = list(_rows(kind))
    return "\n".join(
        [head, "", "| key | what it may be | if left out | what it is |", "|---|---|---|---|", *rows]
        if rows
        else [head]
    )


def _rows(kind: type[Struct]) -> Iterator[str]:
    shared = fields(profile.Paginator) if kind.__base__ is profile.Paginator else ()
    for field in fields(kind)[len(shared) :]:
        told = KEYS[kind.__name__][field.encode_name]
        yield f"| `{field.encode_name}` | {_may_be(field)} | {_left_out(field)} | {told} |"


def _may_be(field: FieldInfo) -> str:
    words = expected(field.type)
    return words if words.startswith(("one of", "a table")) else words.partition(",")[0]


def _left_out(field: FieldInfo) -> str:
    if field.required:
        return "a problem"
    default = field.default if field.default is not NODEFAULT else field.default_factory()
    if isinstance(default, Struct):
        return f"`{default.__struct_config__.tag}`"
    return f"`{json.dumps(default)}`" if default not in (None, "", (), {}) else ""


def main() -> None:
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(TABLES.sub(lambda _found: tables(), page), encoding="utf-8")


if __name__ == "__main__":
    main()
