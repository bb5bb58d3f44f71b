"""Whether all rows are there: totals before and after, rows that move between pages, and the grade at the end."""

from dataclasses import replace
from datetime import datetime
from typing import NoReturn

from memberships_export.domain.errors import MembershipsContractBroken, RowCountMismatch, RowsMoved
from memberships_export.domain.source.envelope import Envelope
from memberships_export.domain.source.grades import Grade
from memberships_export.domain.source.profile import HeaderLink, JsonLink, Offset, PageNumber, Profile
from memberships_export.domain.source.progress import Progress

RESTARTS = 3  # of one walk, because rows moved or the API forgot its place


def check_total(profile: Profile, progress: Progress, envelope: Envelope, at: datetime) -> Progress:
    """Take up what a page says about the total, with its rows already counted.

    Raises RowsMoved when it is another total than before and the walk may start over, RowCountMismatch for more rows
    than announced, MembershipsContractBroken when there is none although the profile names one.
    """
    first = progress.pages == 1
    if first and rows_can_move(profile):
        progress = replace(progress, began_at=at)
    told = profile.total
    if told is None or told.source == "none":
        return progress
    if first and not told.optional and not isinstance(envelope.total, int | None):
        reason = f"The memberships API announced no total at {told.header or told.path}, where its profile has one."
        raise MembershipsContractBroken(reason)
    if told.unit == "pages":
        return progress
    if first or not told.exact:
        known = envelope.total if isinstance(envelope.total, int) else progress.total
        progress = replace(progress, total=known)
    elif rows_can_move(profile) and _changed(progress, envelope):
        progress = _after_a_change(progress, envelope, at)
    if told.exact and progress.total is not None and progress.rows > progress.total:
        _mismatch(profile, progress)
    return progress


def check_end(profile: Profile, progress: Progress, envelope: Envelope, at: datetime) -> Progress:
    """Grade a walk whose last page is in. Raises RowCountMismatch or RowsMoved when rows are missing."""
    counts = profile.total is not None and profile.total.exact and profile.total.unit == "items"
    if counts and progress.total is not None and not progress.moved_until:
        if progress.rows != progress.total:
            _mismatch(profile, progress)
        return replace(progress, grade=progress.grade if _changed(progress, envelope) else Grade.COUNTED)
    if progress.moved_until:
        return replace(progress, moved_until=at, grade=Grade.GUESSED)  # what moved later, nobody saw
    if _moves_unseen(profile, progress):
        return replace(progress, moved_until=at)
    return progress


def rows_can_move(profile: Profile) -> bool:
    """Tell whether rows that are added or removed shift others to another page, as far as anybody can know."""
    return isinstance(profile.paginator, PageNumber | Offset | JsonLink | HeaderLink)


def _moves_unseen(profile: Profile, progress: Progress) -> bool:
    """Tell whether nothing would have shown that rows moved. Offsets show it, but with pages of one row."""
    if isinstance(profile.paginator, Offset):
        return 1 < progress.rows < progress.pages
    return isinstance(profile.paginator, PageNumber | JsonLink | HeaderLink) and progress.pages > 1


def _mismatch(profile: Profile, progress: Progress) -> NoReturn:
    """Raise what rows that do not add up are: moved ones, where that can be."""
    what = f"announced {progress.total} memberships and sent {progress.rows}"
    if rows_can_move(profile) and progress.restarts < RESTARTS:
        raise RowsMoved(f"The memberships API {what}.")
    raise RowCountMismatch(f"The memberships API {what}: ask for a new export.")


def moved(profile: Profile, progress: Progress, what: str) -> NoReturn:
    """Raise what a sign of rows that moved is: a new walk, as long as one may be begun."""
    if not rows_can_move(profile):
        raise MembershipsContractBroken(f"The memberships API sent pages that do not go together: {what}.")
    if progress.restarts < RESTARTS:
        raise RowsMoved(f"Memberships were added or removed while they were read: {what}.")
    reason = f"Memberships kept being added or removed while they were read: {what}. Ask for a new export."
    raise RowCountMismatch(reason)


def _changed(progress: Progress, envelope: Envelope) -> bool:
    return isinstance(envelope.total, int) and progress.total is not None and envelope.total != progress.total


def _after_a_change(progress: Progress, envelope: Envelope, at: datetime) -> Progress:
    """After the last restart a total that changes is no error any more; it is told that rows may be missing."""
    if progress.restarts < RESTARTS:
        reason = f"The memberships API announced {progress.total} memberships first, and {envelope.total} later."
        raise RowsMoved(reason)
    assert isinstance(envelope.total, int)  # noqa: S101  (or nothing would have changed)
    return replace(progress, total=max(envelope.total, progress.rows), moved_until=at)
