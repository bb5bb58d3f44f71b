"""Titles of sheets, as Excel takes them."""

from collections.abc import Set as AbstractSet

_LONGEST = 31
_REFUSED = str.maketrans(dict.fromkeys("[]:*?/\\", " ") | dict.fromkeys(map(chr, range(32)), " "))


def title(wish: str, place: int, taken: AbstractSet[str]) -> str:
    """Return a title like the wish that Excel takes: the second, third… of its kind has its number behind it.

    `taken`: titles of other sheets; upper and lower case do not make a difference.
    """
    plain = wish.translate(_REFUSED).strip(" '") or "Sheet"
    small = {other.casefold() for other in taken}
    while True:
        number = f" {place}" if place > 1 else ""
        found = _shortened(plain, _LONGEST - len(number)) + number
        if found.casefold() not in small | {"history"}:  # a name that Excel keeps for itself
            return found
        place += 1


def _shortened(text: str, longest: int) -> str:
    return text.encode("utf-16-le", "replace")[: 2 * longest].decode("utf-16-le", "ignore").strip(" '")
