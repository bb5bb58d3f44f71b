"""Paths of a profile: where in a JSON value something is. They are the part of JMESPath that needs no searching.

Grammar of names and places: https://jmespath.org/specification.html#grammar (unquoted-string, quoted-string, number).
"""

import json
import re

_UNQUOTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTED = re.compile(r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"')
_PLACE = re.compile(r"\[(0|[1-9][0-9]{0,3})\]")
_WORD = re.compile(r"[^.\[\]\"']+")  # what was meant as a name, also where it needs quotes
_DEEPEST = 20


class PathInvalid(ValueError):
    """A text is not a path. The message says from which character on, and how to write it."""

    def __init__(self, text: str, at: int, problem: str) -> None:
        """`at`: how many characters before the problem were understood."""
        rest = text[at : at + 20]
        place = f"character {at + 1}, {json.dumps(rest, ensure_ascii=False)}" if rest else "its end"
        super().__init__(f"{problem} (at {place})")


def parse_path(text: str) -> tuple[str | int, ...]:
    """Return the names and places on the way: `a.b[0]."odd key"` is `("a", "b", 0, "odd key")`, "" the whole value.

    Raises PathInvalid.
    """
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        step, at = _step(text, at)
        steps.append(step)
        if len(steps) > _DEEPEST:
            raise PathInvalid(text, at, f"the path goes deeper than {_DEEPEST} names and places: shorten it")
    return tuple(steps)


def _step(text: str, at: int) -> tuple[str | int, int]:
    """Return the name or place that begins here, and where it ends."""
    if text[at] == "[":
        return _place(text, at)
    if at == 0:
        return _name(text, at)
    if text[at] != ".":
        raise _cut_off(text, at)
    return _name(text, at + 1)


def _place(text: str, at: int) -> tuple[int, int]:
    if found := _PLACE.match(text, at):
        return int(found[1]), found.end()
    raise PathInvalid(text, at, "a place in a list is a number of 0 to 9999 in brackets, such as items[0]")


def _name(text: str, at: int) -> tuple[str, int]:
    if found := _QUOTED.match(text, at):
        return _unquoted(text, found), found.end()
    found = _UNQUOTED.match(text, at)
    if found and not _goes_on(text, found.end()):
        return found[0], found.end()
    raise _no_name(text, at)


def _unquoted(text: str, found: re.Match[str]) -> str:
    name: str = json.loads(found[0])
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise PathInvalid(text, found.start(), "half of a character: write the character itself") from error
    return name


def _goes_on(text: str, at: int) -> bool:
    return at < len(text) and text[at] not in ".["


def _no_name(text: str, at: int) -> PathInvalid:
    if text.startswith('"', at):
        return PathInvalid(text, at, 'the quotes are never closed, or hold something that must be escaped, such as \\"')
    if found := _WORD.match(text, at):
        quoted = json.dumps(found[0], ensure_ascii=False)
        return PathInvalid(text, at, f"a name with other characters than letters, digits and _ is quoted: {quoted}")
    return PathInvalid(text, at, "a name is missing: names are separated by single dots, such as plan.amount")


def _cut_off(text: str, at: int) -> PathInvalid:
    return PathInvalid(text, at, "after a name or a place comes a dot, a place in brackets, or nothing")
