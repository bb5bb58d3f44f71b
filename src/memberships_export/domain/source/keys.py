"""What a walk has met: the keys of its rows and the places it went to, so that nothing comes twice unnoticed."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence

BETWEEN = "\x1f"  # the parts of a key
_BUCKETS = 64
_BOUNDS = [((bucket << 58) - (1 << 63)) for bucket in range(1, _BUCKETS)]


def shown(key: object) -> str:
    """Write a key for people; one of several parts with commas between them."""
    return str(key).replace(BETWEEN, ", ")


class KeyHashes:
    """The keys of all rows as hashes of 8 bytes each: 1 million take about 9 MB.

    Two different keys of a million have the same hash once in about 40 million exports; such an export would fail.
    """

    def __init__(self) -> None:
        """Begin with no key; most walks need none, because their keys rise."""
        self._buckets: Sequence[array[int]] = ()

    def add(self, keys: Iterable[object]) -> None:
        """Keep the keys of one page. As text: whole numbers have hashes that are no good for this (-1 and -2)."""
        hashes = sorted(map(hash, map(str, keys)))
        if not hashes:
            return
        self._buckets = self._buckets or [array("q") for _ in range(_BUCKETS)]
        start = 0
        for bucket, bound in zip(self._buckets, [*_BOUNDS, None], strict=True):
            end = len(hashes) if bound is None else bisect_left(hashes, bound, start)
            if end > start:
                bucket.extend(hashes[start:end])
            start = end

    def twice(self) -> int | None:
        """Return the hash of a key that came twice, None when all are distinct."""
        return next((found for found in map(_twice, self._buckets) if found is not None), None)


def _twice(hashes: Sequence[int]) -> int | None:
    if len(set(hashes)) == len(hashes):
        return None
    met: set[int] = set()
    return next(one for one in hashes if one in met or met.add(one))  # type: ignore[func-returns-value]


class Seen:
    """What one walk has met so far. Kept in the memory of the worker; another one makes it anew from the parts."""

    def __init__(self) -> None:
        """Begin a walk."""
        self.keys = KeyHashes()
        self._places: set[int] = set()

    def went_to(self, place: str) -> bool:
        """Take a place up, and tell whether the walk was there before."""
        before = len(self._places)
        self._places.add(hash(place))
        return len(self._places) == before
