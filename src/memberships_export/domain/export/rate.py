"""How many mails a user may ask for in an hour: a pure rule, kept by the store in the write that makes use of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from memberships_export.domain.errors import RateLimited

HOUR = timedelta(hours=1)
_AHEAD = timedelta(minutes=1)  # of who noted another turn; what is later was noted before a clock was set back


@dataclass(frozen=True, slots=True)
class Turn:
    """A user asks for one mail: by a new export, or by having a file mailed again. `limit`: so many in an hour."""

    user_id: str
    at: datetime
    limit: int


def with_turn(earlier: Iterable[datetime], turn: Turn) -> tuple[datetime, ...]:
    """Return the turns of the last hour with this one; the store keeps them. Raises RateLimited for one too many."""
    within = sorted(at for at in earlier if -_AHEAD < turn.at - at < HOUR)
    if len(within) < turn.limit:
        return (*within, turn.at)
    seconds = (within[-turn.limit] + HOUR - turn.at).total_seconds()
    raise RateLimited(
        f"You can ask for {turn.limit} exports an hour, and a mail sent again counts like one; "
        f"try again in {seconds:.0f} seconds.",
        retry_after=seconds,
    )
