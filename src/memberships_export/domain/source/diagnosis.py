"""What is there instead of a page, in words for the person who runs the service. Never with values from rows."""

import json
import re
from collections.abc import Collection
from typing import Any

import msgspec

_GZIP, _UTF_16 = b"\x1f\x8b", (b"\xff\xfe", b"\xfe\xff")
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_NO_TEXT = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_LOOKED_AT = 20_000  # bytes of an HTML page
_WORDS, _CHARACTERS = 8, 80
_OTHER = {UnicodeDecodeError: "it is not UTF-8", RecursionError: "it is nested too deeply"}
_SURROGATE = re.compile("[\ud800-\udfff]")


def what_is_there(body: bytes, error: Exception, fields: Collection[str]) -> str:
    """Name what `body`, without white space around it, is. `error` is what the decoder of rows with `fields` said."""
    if body.startswith(b"<"):
        return _markup(body[:_LOOKED_AT].decode(errors="replace"))
    if body.startswith(_GZIP):
        return "it is compressed (gzip), although it was asked for plain"
    if body.startswith(_UTF_16) or body[1:2] == b"\0":
        return "it is in UTF-16 or UTF-32, and JSON is UTF-8"
    if isinstance(error, msgspec.ValidationError):
        return str(error)
    return _bad_text(body, fields) or (str(error) if isinstance(error, msgspec.DecodeError) else _OTHER[type(error)])


def _markup(text: str) -> str:
    if not re.match(r"<(!doctype html|html|head|body|title|h\d|p|div|!--)", text, re.IGNORECASE):
        return "it is XML"
    title = _TITLE.search(text)
    words = _harmless_words(title[1] if title else _NO_TEXT.sub(" ", text))
    return f"it is an HTML page: “{words}”" if words else "it is an HTML page"


def _harmless_words(text: str) -> str:
    """Take the first words; one with a digit or an @ may be an address or a number of somebody."""
    words = [word for word in text.split() if word.isprintable() and "@" not in word and not re.search(r"\d", word)]
    return " ".join(words[:_WORDS])[:_CHARACTERS]


def _bad_text(body: bytes, fields: Collection[str]) -> str | None:
    """Find the row with text that is no Unicode: a byte that is not UTF-8, or half of a surrogate pair."""
    page = _lenient(body)
    items = page.get("items") if isinstance(page, dict) else None
    for place, row in enumerate(items if isinstance(items, list) else []):
        for field in fields:
            if isinstance(row, dict) and isinstance(row.get(field), str) and _SURROGATE.search(row[field]):
                return (
                    f"{_named(row)} holds text that is no Unicode (a byte that is not UTF-8, or half of a surrogate "
                    f"pair) - at `$.items[{place}].{field}`"
                )
    return None


def is_json(body: bytes) -> bool:
    """Tell whether it is JSON, though maybe with text that is no Unicode."""
    return _lenient(body) is not None


def _lenient(body: bytes) -> Any:  # noqa: ANN401  (any JSON)
    try:
        return json.loads(body.decode(errors="surrogateescape"))
    except (ValueError, RecursionError):
        return None


def _named(row: dict[str, Any]) -> str:
    number = row.get("id")
    return f"row {number}" if isinstance(number, int) else "a row without id"
