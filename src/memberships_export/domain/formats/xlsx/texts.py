r"""Texts as cells. Excel has an escape of its own, `_x000D_`, for what XML cannot hold or would change.

Where most texts of a column differ, they are looked at as one joined text first: most columns hold nothing special.
"""

import re
from collections.abc import Sequence
from functools import cache

from memberships_export.domain.formats.xlsx.cells import NOTHING, Cells, whole

LONGEST = 32_767  # in UTF-16 units, as Excel counts
_SAMPLE = 64  # texts of a column that tell whether most of them differ
CUT = " […]"  # ends a text that was cut
# What a reader would take for an escape; XML's own; what XML cannot hold; a CR, which XML makes a line feed.
_SPECIAL = r"_(?=x[0-9A-Fa-f]{4}_)|[&<>\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]"
_XML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_KEEP, _AFTER = '<t xml:space="preserve">', "</t></is></c>"


def text_cells(texts: Sequence[str | None], style: int = 0) -> Cells:
    """Return a column of texts; one that is too long is cut, and ends in a mark. Nothing runs: it is no formula."""
    if _few_differ(texts):
        return _of_distinct(texts, style)
    before = f"{_cell(style)}<t>"
    try:
        if (values := _all_escaped(texts)) is not None:  # type: ignore[arg-type]  # TypeError: one is None
            return Cells(before, values, _AFTER)
    except TypeError:
        if (values := _all_escaped([text or "" for text in texts])) is not None:
            pairs = zip(texts, values, strict=True)
            return whole([NOTHING if text is None else f"{before}{value}{_AFTER}" for text, value in pairs])
    return _of_distinct(texts, style)


def text_cell(text: str, style: int = 0) -> str:
    """Return one text that is not too long."""
    # Blanks at the ends, and lines, would be lost otherwise in some readers.
    keep = text != text.strip() or "\n" in text
    return f"{_cell(style)}{_KEEP if keep else '<t>'}{escaped(text)}{_AFTER}"


def escaped(text: str) -> str:
    """Return the text as it stands in a cell."""
    return _compiled(_SPECIAL).sub(_escape, text)


def units(text: str) -> int:
    """Return how long Excel finds a text."""
    return len(text) + sum(character > "\uffff" for character in text)


def shortened(text: str) -> str:
    """Return the start of a text, as much as fits into a cell, and the mark."""
    room = 2 * (LONGEST - len(CUT))
    start = text.encode("utf-16-le", "surrogatepass")[:room].decode("utf-16-le", "surrogatepass")
    in_a_pair = "\ud800" <= start[-1] <= "\udbff"
    return (start[:-1] if in_a_pair else start) + CUT


def _of_distinct(texts: Sequence[str | None], style: int) -> Cells:
    """Look at each text, at equal ones once."""
    cells, long = dict[str | None, str]({None: NOTHING}), set[str]()
    for text in set(texts) - {None}:
        if text and len(text) * 2 > LONGEST and units(text) > LONGEST:
            long.add(text)
            cells[text] = text_cell(shortened(text), style)
        else:
            cells[text] = text_cell(text or "", style)
    return whole(list(map(cells.__getitem__, texts)), sum(text in long for text in texts) if long else 0)


def _few_differ(texts: Sequence[str | None]) -> bool:
    return len(set(texts[:_SAMPLE])) * 2 < min(len(texts), _SAMPLE)


def _all_escaped(texts: Sequence[str]) -> Sequence[str] | None:
    """Escape all texts at once where no more than & and < is special in them, else return None.

    TypeError where one is None.
    """
    column = ">".join(texts)  # between two > there is one text; a > of its own looks like a further one
    if (
        not column.isprintable()
        or "_x" in column
        or "> " in column
        or " >" in column
        or column[:1] == " "
        or column[-1:] == " "
        or column.count(">") != len(texts) - 1
        or max(map(len, texts), default=0) * 2 > LONGEST
    ):
        return None
    if "&" not in column and "<" not in column:
        return texts
    return column.replace("&", "&amp;").replace("<", "&lt;").split(">")


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if character in _XML:
        return _XML[character]
    # Halves of a surrogate pair and non-characters: no document of XML can hold them, escaped or not.
    return "\ufffd" if character >= "\ud800" else f"_x{ord(character):04X}_"


def _cell(style: int) -> str:
    attributes = f' s="{style}"' if style else ""
    return f'<c{attributes} t="inlineStr"><is>'


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern when it is needed: who starts does not wait for it."""
    return re.compile(pattern)
