"""The header Accept-Language: the languages that a browser says its user reads (RFC 9110, section 12.5.4)."""

import re
from collections.abc import Sequence

_LONGEST = 1000  # characters of all such headers; browsers send less than 200
# Some write an underscore, as POSIX has it. `re` compiles it when it is needed, and keeps it.
_RANGE = r"(\*|[a-z]{1,8}(?:[-_][a-z0-9]{1,8})*)(?:[ \t]*;[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?"


def accepted_languages(lines: Sequence[str], ours: Sequence[str]) -> tuple[str, ...]:
    """Return the tags that are liked, the most liked first; those of the same weight in the order of the header.

    `lines` are the values of all such headers. A `*` stands for all of `ours` that the header does not name. What is
    not well formed is as good as not there: a language is a wish, and refuses nobody.
    """
    if not lines:
        return ()
    weights = _weights(lines)
    liked = sorted((tag for tag, weight in weights.items() if weight > 0), key=lambda tag: -weights[tag])
    unnamed = [language for language in ours if language.lower() not in weights]
    return tuple(one for tag in liked for one in (unnamed if tag == "*" else [tag]))


def _weights(lines: Sequence[str]) -> dict[str, float]:
    """Return what is said of each tag, in lower case; the last word counts."""
    text = ",".join(lines)
    parts = text.split(",") if len(text) <= _LONGEST else []
    found = [re.fullmatch(_RANGE, part.strip(" \t"), re.IGNORECASE | re.ASCII) for part in parts]
    return {one[1].lower(): float(one[2] or 1) for one in found if one}
