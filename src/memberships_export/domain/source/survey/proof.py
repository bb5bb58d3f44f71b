"""What an export by a profile can prove, as far as the profile tells."""

from msgspec import Struct

from memberships_export.domain.source.completeness import rows_can_move
from memberships_export.domain.source.grades import Grade
from memberships_export.domain.source.profile import (
    Cursor,
    HeaderLink,
    JsonLink,
    PageNumber,
    Profile,
    SinglePage,
)


class Proof(Struct, frozen=True):
    """`grade`: the best that an export can get. `owned`: each row says whose it is.

    `moves`: rows can change pages, and then the walk starts over; `unseen`: it may be that nothing shows it.
    """

    grade: Grade
    owned: bool
    moves: bool
    unseen: bool


def proof_of(profile: Profile) -> Proof:
    """Tell what can be proven when the API does as the profile says."""
    grade = _grade(profile)
    unseen = isinstance(profile.paginator, PageNumber) and grade is not Grade.COUNTED
    return Proof(grade, profile.rows.owner is not None, rows_can_move(profile), unseen)


def _grade(profile: Profile) -> Grade:
    total, paginator = profile.total, profile.paginator
    exact = total is not None and total.exact and total.source != "none"
    if total is not None and exact and total.unit == "items":
        return Grade.COUNTED
    names_the_end = isinstance(paginator, SinglePage | Cursor | JsonLink | HeaderLink)
    return Grade.ENDED if names_the_end or exact or getattr(paginator, "has_more_path", None) else Grade.GUESSED
