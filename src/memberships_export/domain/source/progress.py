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
