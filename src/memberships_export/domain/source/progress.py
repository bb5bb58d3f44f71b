"""How far a walk through the pages of a memberships API is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the fetch is. `cursor` fetches the next page; `total` is what the API announced, if it did.

    `walk` is one higher with each time that the walk starts over, because stored pages were lost or damaged.
    """

    pages: int = 0
    bytes: int = 0  # of the pages, as they were received
    rows: int = 0
    total: int | None = None
    cursor: str | None = None
    last_id: int | None = None
    walk: int = 0
