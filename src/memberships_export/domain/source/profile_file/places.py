"""Where in the file of a profile something is, and what is wrong there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Place: TypeAlias = tuple[str | int, ...]  # ("columns", 3, "currency")


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a profile breaks: where, what is wrong and the fix, and the other places that say so.

    `{other}` in the text stands for the first of these.
    """

    place: Place
    text: str
    because: tuple[Place, ...] = ()

    def told(self, tables: Mapping[str, Any]) -> str:
        """Return the text for the person who wrote these tables."""
        return self.text.replace("{other}", written(self.because[0], tables)) if self.because else self.text


def written(place: Place, tables: Mapping[str, Any]) -> str:  # noqa: PLR0911  (one line for each form)
    """Return a place as it is told: `[paginator] size`, `columns[3] "price": currency`, counted from 0."""
    match place:
        case ():
            return "the file"
        case (str(key),):
            return f"[{key}]" if isinstance(tables.get(key), dict) else key
        case (str(table), int(at)):
            return f"{table}[{at}]{_name(tables, table, at)}"
        case (str(table), int(at), *keys):
            return f"{table}[{at}]{_name(tables, table, at)}: {_dotted(keys)}"
        case ("filters", str(name), *keys):
            return f"[filters.{name}] {_dotted(keys)}".rstrip()
        case (str(table), *keys):
            return f"[{table}] {_dotted(keys)}"
    return _dotted(place)


def _dotted(keys: Place | list[str | int]) -> str:
    return ".".join(map(str, keys)).replace(".[", "[")


def _name(tables: Mapping[str, Any], table: str, at: int) -> str:
    one = tables[table][at]
    name = one.get("name") if isinstance(one, dict) else None
    return f' "{name}"' if isinstance(name, str) else ""
