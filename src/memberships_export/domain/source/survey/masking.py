"""Examples of values for people: shortened, and without content unless that is asked for."""

import unicodedata

_LONGEST = 24  # characters


def shortened(text: str) -> str:
    """Return the beginning of a long text."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def masked(text: str) -> str:
    """Keep the form and nothing else: each letter becomes x or X, each digit 0; marks and blanks stay."""
    return "".join(map(_masked, text))


def _masked(char: str) -> str:
    kind = unicodedata.category(char)
    if kind in ("Lu", "Lt"):
        return "X"
    if kind[0] == "N":
        return "0"
    return char if kind[0] in "PSZ" and char.isascii() else "x"
