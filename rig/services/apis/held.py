"""Memberships as they are, before an API gives them its own shape. The same arguments make the same ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Literal

APART = 10  # between two numbers, so that a row can be put between them later
_USERS_APART = 10_000_000
_DECIMALS = {"JPY": 0, "KWD": 3}  # ISO 4217; the others here have two
End = Literal["oldest", "newest"]
_FIRST = datetime(2021, 3, 28, 0, 30, tzinfo=UTC)  # the night in which Europe's clocks are put forward


@dataclass(frozen=True, slots=True)
class Held:
    """One membership. `number` rises with time and is unique over all users; `minor` counts cents, yen or fils."""

    number: int
    user: str
    plan: str
    state: str  # active, paused or ended
    since: datetime
    until: datetime | None
    minor: int
    currency: str
    interval: str  # month or year
    method: str | None

    @property
    def amount(self) -> str:
        """The price as a decimal number, with all digits of its currency."""
        decimals = _DECIMALS.get(self.currency, 2)
        whole, part = divmod(self.minor, 10**decimals)
        return f"{whole}.{part:0{decimals}}" if decimals else str(whole)


def a_membership(user: str, number: int) -> Held:
    """Make one; its number decides all of it."""
    place = number // APART
    since = _FIRST + timedelta(days=31 * (place % 40), minutes=place)
    state = ("active", "paused", "ended")[place % 3]
    return Held(
        number=number,
        user=user,
        plan=("Adult", 'Family "all in"', "Süd & Nord; alle", "Punch card\n10 visits", "=1+1")[place % 5],
        state=state,
        since=since,
        until=since + timedelta(days=365) if state == "ended" else None,
        minor=(0, 2990, 105, 7, 123_456_789)[place % 5] if place % 7 else 1000,
        currency=("CHF", "EUR", "JPY", "KWD")[place % 4],
        interval=("month", "year")[place % 2],
        method=("sepa", None, "card", "")[place % 4],
    )


class Holdings:
    """Who holds what, each user's by rising number. It may change while an API shows it."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        self.of = {
            user: [a_membership(user, place * _USERS_APART + APART * number) for number in range(1, count + 1)]
            for place, (user, count) in enumerate(counts.items())
        }

    def everybody(self) -> list[Held]:
        """All of them, by rising number."""
        return sorted(chain.from_iterable(self.of.values()), key=lambda held: held.number)

    def remove(self, user: str, which: End) -> None:
        """Take one away."""
        held = self.of[user]
        self.of[user] = held[1:] if which == "oldest" else held[:-1]

    def add(self, user: str, which: End) -> None:
        """Add one before or behind all others."""
        held = self.of[user]
        if which == "oldest":
            self.of[user] = [a_membership(user, held[0].number - APART // 2), *held]
        else:
            self.of[user] = [*held, a_membership(user, held[-1].number + APART)]
