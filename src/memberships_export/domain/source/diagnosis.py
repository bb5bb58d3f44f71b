"""What is there instead of a page, in words for the person who runs the service. Never with values from rows."""

import json
import re
from typing import Any

import msgspec

from memberships_export.domain.source.paths import parse_path
from memberships_export.domain.source.profile import Profile
from memberships_export.domain.source.row_encodings import named_at
from memberships_export.domain.source.row_types import Steps
from memberships_export.domain.source.row_uses import steps_of

_GZIP, _UTF_16 = b"\x1f\x8b", (b"\xff\xfe", b"\xfe\xff")
# `re` compiles these when they are needed, and keeps them: pages are hardly ever wrong.
_TITLE = r"(?is)<title[^>]*>(.*?)</title>"
_NO_TEXT = r"(?is)<(script|style)\b.*?</\1\s*>|<[^>]*>"
_LOOKED_AT = 20_000  # bytes of an HTML page
_WORDS, _CHARACTERS = 8, 80
_OTHER = {UnicodeDecodeError: "it is not UTF-8", RecursionError: "it is nested too deeply"}
_ERRORS = ("errors", "error")
_SURROGATE = "[\ud800-\udfff]"


def what_is_there(body: bytes, error: Exception, profile: Profile) -> str:
    """Name what `body`, without white space around it, is. `error` is what the decoder of pages said."""
    if body.startswith(b"<"):
        return _markup(body[:_LOOKED_AT].decode(errors="replace"))
    if body.startswith(_GZIP):
        unasked = "although it was asked for plain" if profile.request.compression == "none" else "and nothing says so"
        return f"it is compressed (gzip), {unasked}"
    if body.startswith(_UTF_16) or body[1:2] == b"\0":
        return "it is in UTF-16 or UTF-32, and JSON is UTF-8"
    if isinstance(error, msgspec.ValidationError):
        return str(error)
    return _bad_text(body, profile) or (str(error) if isinstance(error, msgspec.DecodeError) else _OTHER[type(error)])


def why_no_rows(body: bytes, profile: Profile) -> str | None:
    """Say what is wrong with a page in which null stands for its rows, or nothing; None when it just has none.

    Errors of GraphQL come with null in place of the data, also where the profile does not name them.
    """
    page = _lenient(body)
    named = [name for name in _ERRORS if isinstance(page, dict) and page.get(name)]
    if named and profile.request.errors_path is None:
        return f"it holds errors at `$.{named[0]}` and no rows: name them in errors_path"
    value, way = page, parse_path(profile.rows.path)
    for depth, step in enumerate(way):
        if isinstance(value, dict) and step not in value:
            return f"it has no rows at `$.{profile.rows.path}`"
        value = look_up(page, way[: depth + 1])
    return None


def _markup(text: str) -> str:
    if not re.match(r"<(!doctype html|html|head|body|title|h\d|p|div|!--)", text, re.IGNORECASE):
        return "it is XML"
    title = re.search(_TITLE, text)
    words = _harmless_words(title[1] if title else re.sub(_NO_TEXT, " ", text))
    return f"it is an HTML page: “{words}”" if words else "it is an HTML page"


def _harmless_words(text: str) -> str:
    """Take the first words; one with a digit or an @ may be an address or a number of somebody."""
    words = [word for word in text.split() if word.isprintable() and "@" not in word and not re.search(r"\d", word)]
    return " ".join(words[:_WORDS])[:_CHARACTERS]


def _bad_text(body: bytes, profile: Profile) -> str | None:
    """Find the row with text that is no Unicode: a byte that is not UTF-8, or half of a surrogate pair."""
    rows = _rows(body, profile)
    columns = [column for column in profile.columns if column.type != "constant"]
    ways = {column.path or column.name: steps_of(column) for column in columns}
    for place, row in enumerate(rows):
        for path, steps in ways.items():
            text = look_up(row, steps)
            if isinstance(text, str) and re.search(_SURROGATE, text):
                return (
                    f"{_named(row, profile)} holds text that is no Unicode (a byte that is not UTF-8, or half of a "
                    f"surrogate pair) - at `$.{profile.rows.path}[{place}].{path}`"
                )
    return None


def _rows(body: bytes, profile: Profile) -> list[Any]:
    """Find the rows, those that are arrays by the names of their columns."""
    if profile.rows.encoding == "ndjson":
        return [_lenient(line) for line in body.split(b"\n")]
    page = _lenient(body)
    rows = look_up(page, parse_path(profile.rows.path))
    names = look_up(page, parse_path(named_at(profile))) if profile.rows.encoding == "arrays" else None
    if not isinstance(rows, list):
        return []
    if not isinstance(names, list):
        return rows
    return [dict(zip(map(str, names), row, strict=False)) if isinstance(row, list) else row for row in rows]


def look_up(value: Any, steps: Steps) -> Any:  # noqa: ANN401  (any JSON)
    """Return what is at a place in JSON that was read without types; None when nothing is."""
    for step in steps:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def is_json(body: bytes) -> bool:
    """Tell whether it is JSON, though maybe with text that is no Unicode."""
    return _lenient(body) is not None


def _lenient(body: bytes) -> Any:  # noqa: ANN401  (any JSON)
    try:
        return json.loads(body.decode(errors="surrogateescape"))
    except (ValueError, RecursionError):
        return None


def _named(row: Any, profile: Profile) -> str:  # noqa: ANN401  (any JSON)
    key = look_up(row, parse_path(profile.rows.key[0]))
    return f"row {key}" if isinstance(key, int) else "a row without id"
