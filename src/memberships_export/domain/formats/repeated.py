"""Texts that come again and again in a column, such as the name of a plan: each becomes a field once."""

from collections.abc import Callable, Sequence

_MOST = 500_000  # bytes or so that are kept for a column: some thousand names, or a few long texts
_BESIDE = 100  # of those for each text, whatever its length

Texts = Sequence[str | None]


def repeat(texts: Texts) -> bool:
    """Tell by some rows of a column whether its texts come again so often that it is worth to keep them."""
    return len(set(texts)) * 2 < len(texts)


class Repeated:
    """The fields of one column by their texts; None has that of an empty text."""

    def __init__(self, make: Callable[[str], tuple[str, int]]) -> None:
        """`make` gives the field of a text, and how many of these two were guarded: none or one."""
        self._known = _Known(make)

    @property
    def too_many(self) -> bool:
        """Whether there turned out to be more of them than is worth to keep."""
        return self._known.bytes > _MOST

    def fields(self, texts: Texts) -> Sequence[str]:
        """Return the field of each."""
        return list(map(self._known.__getitem__, texts))

    def guarded(self, texts: Texts) -> int:
        """Return how many of these fields are guarded."""
        return sum(map(self._known.guarded.__contains__, texts)) if self._known.guarded else 0


class _Known(dict[str | None, str]):
    """Makes what is not there when it is asked for, which costs nothing where it is."""

    def __init__(self, make: Callable[[str], tuple[str, int]]) -> None:
        super().__init__()
        self._make = make
        self.bytes = 0
        self.guarded: set[str | None] = set()

    def __missing__(self, text: str | None) -> str:
        field, guarded = self._make(text or "")
        self[text] = field
        self.bytes += len(field) + _BESIDE
        if guarded:
            self.guarded.add(text)
        return field
