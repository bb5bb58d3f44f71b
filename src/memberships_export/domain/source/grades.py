"""How sure it is that the rows are complete. Weaker grades are shown, not hidden."""

from enum import StrEnum


class Grade(StrEnum):
    """What proves that no row is missing. Keys are distinct in each."""

    COUNTED = "counted"  # there are as many rows as the API said, before and after
    ENDED = "ended"  # the API said that it was the last page, and no total
    GUESSED = "guessed"  # only a short or empty page tells the end
