"""Reading and writing by a profile, in this process: pages become lines of a file. Time is that of the processor."""

import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from time import process_time

import msgspec

from bench import fixed_contract
from bench.nested_api import PROFILE, USER, nested_page
from bench.results import ReadingRuns
from memberships_api.sample import sample_memberships
from memberships_export.bootstrap.shipped import shipped_text
from memberships_export.domain.formats.csv import CsvPieces
from memberships_export.domain.formats.options import Options
from memberships_export.domain.source.exchange import Answer
from memberships_export.domain.source.keys import KeyHashes, Seen
from memberships_export.domain.source.page import Asked, placed
from memberships_export.domain.source.profile_file.text import read_profile
from memberships_export.domain.source.progress import Progress
from memberships_export.domain.source.reader import Reader, reader_of

_OWNER = "user-1"


def measure_reading(rows: int, repeat: int, keys: int) -> ReadingRuns:
    """Measure pages of so many rows after a round that is not counted, and so many distinct keys."""
    own = _ByProfile(_reader(shipped_text("memberships")), _OWNER, _own_page(rows))
    nested = _ByProfile(_reader(PROFILE), USER, nested_page(rows))
    _check(own, rows)
    rounds = [(_fixed(own.page), own.seconds()) for _ in range(repeat + 1)]
    fixed, by_profile = zip(*rounds[1:], strict=True)
    return ReadingRuns(
        rows=rows,
        fixed=fixed,
        by_profile=by_profile,
        nested=tuple(nested.seconds() for _ in range(repeat + 1))[1:],
        nested_row_bytes=len(nested.page) // rows,
        keys=keys,
        keys_bytes=_keys_bytes(keys),
        keys_seconds=_seconds(lambda: _distinct(keys)),
    )


@dataclass(frozen=True, slots=True)
class _ByProfile:
    """One page, and who reads it for whom."""

    reader: Reader
    owner: str
    page: bytes

    def taken(self) -> tuple[Progress, bytes]:
        """Read it, check it, and make lines of its rows, as when it comes."""
        asked = Asked(owner=self.owner, size=5000, at=datetime(2026, 1, 1, tzinfo=UTC), url="https://api.example.org")
        page = self.reader.read(Answer(self.page))
        step = placed(self.reader, Seen(), Progress(), page, asked)
        tables = self.reader.checked_tables(page.rows, range(len(self.reader.profile.columns)))
        return step.progress, CsvPieces(Options()).piece(tables).content

    def seconds(self) -> float:
        return _seconds(self.taken)


def _fixed(page: bytes) -> float:
    return _seconds(lambda: (fixed_contract.fetched(page, _OWNER), fixed_contract.rendered(page)))


def _check(own: _ByProfile, rows: int) -> None:
    progress, lines = own.taken()
    assert fixed_contract.fetched(own.page, _OWNER) == (progress.rows, progress.cursor) == (rows, "next")
    assert fixed_contract.rendered(own.page) == lines, "The profile writes other bytes than the fixed row."


def _own_page(rows: int) -> bytes:
    items = list(sample_memberships(rows, _OWNER))
    return msgspec.json.encode({"items": items, "nextCursor": "next", "total": rows * 2})


def _reader(text: str) -> Reader:
    return reader_of(read_profile(text, "measured"))


def _distinct(keys: int) -> KeyHashes:
    """Take up so many keys, page by page, and look for one that came twice."""
    met = KeyHashes()
    for page in _pages_of_keys(keys):
        met.add(page)
    assert met.twice() is None
    return met


def _pages_of_keys(keys: int) -> Iterator[list[str]]:
    for first in range(0, keys, 5000):
        yield [f"sub_1MowQVLkdIwHu7ixeRlqHVzs{number:08}" for number in range(first, min(first + 5000, keys))]


def _keys_bytes(keys: int) -> int:
    """Return the most memory that was held at once, with a page of keys and the search at the end."""
    tracemalloc.start()
    try:
        _distinct(keys)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _seconds(work: Callable[[], object]) -> float:
    begun = process_time()
    work()
    return process_time() - begun
