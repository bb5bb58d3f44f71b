"""How sure it is that the rows are complete. Weaker grades are shown, not hidden."""

from collections.abc import Mapping
from enum import StrEnum

from memberships_export.domain.translatable import translatable


class Grade(StrEnum):
    """What proves that no row is missing. Keys are distinct in each."""

    COUNTED = "counted"  # there are as many rows as the API said, before and after
    ENDED = "ended"  # the API said that it was the last page, and no total
    GUESSED = "guessed"  # only a short or empty page tells the end


GRADE_TEXTS: Mapping[Grade, str] = {
    Grade.COUNTED: translatable("Counted: as many as the membership system said."),
    Grade.ENDED: translatable("Read to the end; the membership system named no total."),
    Grade.GUESSED: translatable("Probably all; the membership system does not say when it is done."),
}
