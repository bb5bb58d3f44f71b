"""Whether a page can be believed, and how far the walk is with it. Whatever cannot be believed is never stored."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from operator import gt, lt
from typing import Any

from msgspec import Struct

from memberships_export.domain.errors import ForeignRows, MembershipsContractBroken
from memberships_export.domain.source.completeness import check_end, check_total, moved, rows_can_move
from memberships_export.domain.source.keys import Seen, shown
from memberships_export.domain.source.paging import Arrived, End, Onward, next_place
from memberships_export.domain.source.profile import Offset, SinglePage
from memberships_export.domain.source.progress import Progress
from memberships_export.domain.source.reader import Key, Page, Reader

LONGEST_PLACE = 2048  # bytes in UTF-8: it is kept on the record, and travels in a URL


class Asked(Struct, frozen=True, kw_only=True):
    """What was asked for: whose rows, how many at most, when, and at which URL (without its query)."""

    owner: str
    size: int
    at: datetime
    url: str


class Step(Struct, frozen=True):
    """The progress with a page, how many of its first rows were there before, and the keys of the others.

    No keys where nothing has to be compared with them: whole numbers in order.
    """

    progress: Progress
    skip: int = 0
    keys: Sequence[Key] = ()


def after_page(reader: Reader, seen: Seen, progress: Progress, page: Page, asked: Asked) -> Step:
    """Add a page to the progress, if it can be believed with all of its cells.

    Raises what `placed` raises, and MembershipsContractBroken for cells that are wrong.
    """
    step = placed(reader, seen, progress, page, asked)
    reader.check(page.rows)
    return step


def placed(reader: Reader, seen: Seen, progress: Progress, page: Page, asked: Asked) -> Step:
    """Add a page to the progress, if it can be believed that it is the next one. Its cells are not looked at.

    Raises ForeignRows for a row of another user; RowsMoved when rows were added or removed meanwhile, so that the walk
    should start over; RowCountMismatch when there are more rows than announced, or fewer once the last page is in;
    MembershipsContractBroken for whatever else is wrong.
    """
    _check_owners(reader, page, asked)
    skip = _overlap(reader, progress, page)
    rows = page.rows[skip:]
    keys = _check_keys(reader, progress, rows)
    last_key = keys[-1] if keys else progress.last_key
    compared = () if in_order(reader, last_key) else keys
    seen.keys.add(compared)
    so_far = replace(
        progress,
        pages=progress.pages + 1,
        bytes=progress.bytes + page.bytes,
        rows=progress.rows + len(rows),
        last_key=last_key,
        empty_pages=0 if rows else progress.empty_pages + 1,
    )
    so_far = check_total(reader.profile, so_far, page.envelope, asked.at)
    arrived = Arrived(
        place=progress.cursor,
        envelope=page.envelope,
        received=len(rows),
        rows=so_far.rows,
        pages=so_far.pages,
        asked=asked.size - skip,
        last_key=last_key,
        total=so_far.total,
        url=asked.url,
    )
    onward = next_place(reader.profile, arrived)
    if isinstance(onward, End):
        done = check_end(reader.profile, replace(so_far, cursor=None, grade=onward.grade), page.envelope, asked.at)
        _check_distinct(reader, seen, done)
        return Step(done, skip, compared)
    _check_place(reader, seen, so_far, onward)
    return Step(replace(so_far, cursor=onward.place), skip, compared)


def in_order(reader: Reader, last_key: Key | None) -> bool:
    """Tell whether the order of the keys proves that none comes twice: whole numbers that rise or fall."""
    return reader.profile.rows.order != "none" and isinstance(last_key, int)


def _check_owners(reader: Reader, page: Page, asked: Asked) -> None:
    """Compare texts: the number 2000 is the user "2000", and "02000" is another one."""
    if any(str(owner) != asked.owner for owner in set(reader.owners(page.rows))):
        raise ForeignRows("The memberships API sent memberships of another user; nothing of it was kept or mailed.")


def _overlap(reader: Reader, progress: Progress, page: Page) -> int:
    """Count the rows that came before: offsets go one row back, where pages have more than one.

    Only when the same row comes again, no row before it was added or removed.
    """
    if not isinstance(reader.profile.paginator, Offset) or int(progress.cursor or 0) == progress.rows:
        return 0
    if not page.rows or reader.keys(page.rows[:1])[0] != progress.last_key:
        moved(reader.profile, progress, f"row {progress.rows} is another one when it is asked for again")
    return 1


def _check_keys(reader: Reader, progress: Progress, rows: Sequence[Any]) -> Sequence[Key]:
    """Return the keys of the rows, which are distinct as far as this page shows."""
    keys = reader.keys(rows)
    if not keys:
        return keys
    order = reader.profile.rows.order
    if order != "none":
        _check_one_type(reader, progress, keys)
    if in_order(reader, keys[0]):
        _check_order(reader, progress, keys, falling=order == "falling")
    elif len(set(keys)) < len(keys):
        twice = next(key for place, key in enumerate(keys) if key in keys[:place])
        raise MembershipsContractBroken(f"The memberships API sent row {shown(twice)} twice on one page.")
    return keys


def _check_one_type(reader: Reader, progress: Progress, keys: Sequence[Key]) -> None:
    """Refuse numbers beside text: neither would be compared with the other."""
    types = set(map(type, keys)) | ({type(progress.last_key)} if progress.last_key is not None else set())
    if len(types) > 1:
        reason = (
            f"The memberships API sent rows whose {reader.profile.rows.key[0]} is a number, and others where it is "
            "text: those have no order."
        )
        raise MembershipsContractBroken(reason)


def _check_order(reader: Reader, progress: Progress, keys: Sequence[Any], *, falling: bool) -> None:
    before = [] if progress.last_key is None else [progress.last_key]
    goes_on, chain = (gt if falling else lt), [*before, *keys]
    if all(map(goes_on, chain, chain[1:])):
        return
    place = next(number for number, pair in enumerate(pairwise(chain)) if not goes_on(*pair))
    what = f"row {chain[place + 1]} after row {chain[place]}"
    if before and place == 0 and rows_can_move(reader.profile):
        moved(reader.profile, progress, f"{what} came on the next page")
    path, ways = reader.profile.rows.key[0], "fall" if falling else "rise"
    reason = f"The memberships API sent {what}: {path} must {ways}, also across pages."
    raise MembershipsContractBroken(reason)


def _check_distinct(reader: Reader, seen: Seen, progress: Progress) -> None:
    if seen.keys.twice() is not None:
        moved(reader.profile, progress, "one row came twice, on different pages")


def _check_place(reader: Reader, seen: Seen, progress: Progress, onward: Onward) -> None:
    paginator = reader.profile.paginator
    if isinstance(paginator, SinglePage) or progress.empty_pages > paginator.empty_pages:
        before = f"{progress.empty_pages} empty pages in a row" if progress.empty_pages > 1 else "an empty page"
        reason = f"The memberships API sent {before}, page {progress.pages}, with a cursor to another one."
        raise MembershipsContractBroken(reason)
    if (size := len(onward.place.encode())) > LONGEST_PLACE:
        reason = (
            f"The memberships API sent page {progress.pages} with a {onward.name} of {size} bytes, and at most "
            f"{LONGEST_PLACE} are taken."
        )
        raise MembershipsContractBroken(reason)
    if seen.went_to(onward.place):
        reason = (
            f"The memberships API sent page {progress.pages} that leads back to an earlier one: it would never end."
        )
        raise MembershipsContractBroken(reason)
