"""How far a walk through the pages of a memberships API is."""

from dataclasses import dataclass
from datetime import datetime

from memberships_export.domain.source.grades import Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the fetch is. `cursor` is the place of the next page; `total` is what the API announced, if it did.

    `walk` is one higher with each time that the walk starts over: because stored pages were lost or damaged, or, as
    `restarts` counts, because rows moved while it went on.
    """

    pages: int = 0
    bytes: int = 0  # of the pages, as they were received
    rows: int = 0
    total: int | None = None
    cursor: str | None = None
    last_key: int | str | None = None
    walk: int = 0
    restarts: int = 0
    empty_pages: int = 0  # in a row, up to now
    began_at: datetime | None = None  # when the first page came; None where rows cannot move unnoticed
    moved_until: datetime | None = None  # rows may have moved unnoticed from `began_at` until then
    grade: Grade | None = None  # None until the last page is in

    @property
    def moved_between(self) -> tuple[datetime, datetime] | None:
        """From when to when changes of memberships may have been missed."""
        return (self.began_at, self.moved_until) if self.began_at and self.moved_until else None


def completeness_text(progress: Progress) -> str | None:
    """Say in words for members how sure it is that all rows are there; None until the last page is in."""
    if progress.grade is None:
        return None
    rows = f"{progress.rows:,}"
    text = {
        Grade.COUNTED: f"{rows} of {rows}.",
        Grade.ENDED: f"{rows}; the membership system named no total.",
        Grade.GUESSED: f"{rows}; the membership system does not say when it is done.",
    }[progress.grade]
    if between := progress.moved_between:
        since, until = (f"{moment:%H:%M:%S}" for moment in between)
        text += f" Changes made between {since} and {until} UTC on {between[1]:%Y-%m-%d} may be missing."
    return text
