"""Text from elsewhere, made fit for mails and records: no control characters, nothing that reorders what is read."""

import re

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # C0 without tab and line ends, DEL, C1
_REORDERING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # marks for right-to-left text
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"\s+")


def many_lines(text: str) -> str:
    """Return the text with plain line ends and without what cannot be seen or sent."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _LONE_SURROGATE.sub("\ufffd", _REORDERING.sub("", _CONTROL.sub("", lines)))


def one_line(text: str) -> str:
    """Return the text fit for a header or a sentence: as `many_lines`, in one line without double spaces."""
    return _SPACE.sub(" ", many_lines(text)).strip()


def shortened(text: str, limit: int) -> str:
    """Return at most `limit` characters, ending in … when something was cut off."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
