"""JSON read without types, layer by layer: what is not looked at stays as it was written, to the last digit."""

import re
from typing import TypeVar

import msgspec
from msgspec import Raw

_LARGEST = 2**63
Kind = TypeVar("Kind")
_WHOLE = re.compile(rb"-?[0-9]+")
_WORDS = {b"{": "an object", b"[": "a list", b"t": "true or false", b"f": "true or false", b"n": "null"}


def read_raw(body: bytes) -> Raw | None:
    """Take up JSON; None when it is none."""
    try:
        return msgspec.json.decode(body, type=Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def members(value: Raw) -> dict[str, Raw] | None:
    """Return what an object holds, by name; None when it is no object."""
    return _decoded(value, dict[str, Raw])


def elements(value: Raw) -> list[Raw] | None:
    """Return what a list holds; None when it is no list."""
    return _decoded(value, list[Raw])


def is_null(value: Raw) -> bool:
    """Tell null from everything else."""
    return bytes(value).strip() == b"null"


def kind_of(value: Raw) -> str:
    """Say what it is, without what it says."""
    text = bytes(value).strip()
    if text[:1] == b'"':
        return "text that is no Unicode" if _decoded(value, str) is None else "text"
    if text[:1] in _WORDS:
        return _WORDS[text[:1]]
    if not _WHOLE.fullmatch(text):
        return "a number with a fraction"
    return "a whole number of more than 64 bits" if _is_large(text) else "a whole number"


def text_of(value: Raw) -> str:
    """Return a text itself, and of anything else its JSON."""
    known: str | None = _decoded(value, str)
    return bytes(value).decode(errors="replace").strip() if known is None else known


def _is_large(digits: bytes) -> bool:
    return len(digits) > 20 or not -_LARGEST <= int(digits) < _LARGEST  # noqa: PLR2004  (digits of 64 bits, with a sign)


def _decoded(value: Raw, kind: type[Kind]) -> Kind | None:
    try:
        return msgspec.json.decode(bytes(value), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
