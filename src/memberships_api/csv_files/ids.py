"""Ids as text: what a token could not name, or nobody could see, would never find its member."""

import unicodedata
from typing import Final

LONGEST_ID: Final = 255  # characters, as in tokens
# Printable as Python sees it, but drawn as nothing.
_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SELECTORS: Final = (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))


def check_id(text: str) -> None:
    """Raise ValueError for an id that no token can name, or that looks like another one."""
    if len(text) > LONGEST_ID:
        raise ValueError(f"it has {len(text):,} characters, and a token can name at most {LONGEST_ID}: shorten it.")
    if text.isascii() and text.isprintable():
        return  # nearly always
    for at, char in enumerate(text, start=1):
        if _is_hidden(char):
            code = f"U+{ord(char):04X}"
            name = unicodedata.name(char, "a control character")
            raise ValueError(f"character {at} is {code} ({name}), which nobody sees: remove it.")


def _is_hidden(char: str) -> bool:
    if char.isascii() or char.isalnum():
        return not char.isprintable() or char in _INVISIBLE
    return not char.isprintable() or char in _INVISIBLE or any(ord(char) in span for span in _SELECTORS)
