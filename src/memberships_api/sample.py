"""Made-up memberships, awkward on purpose: for demos, tests and measurements."""

from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from itertools import cycle, islice
from typing import Final

from memberships_api.membership import Membership

# The lengths differ on purpose: values combine differently from row to row.
_NAMES: Final = (
    "Basic",
    "Größe & Kür: Straßenläufer",
    'Premium "Gold"',
    "Family, two adults",
    "Rock'n'Roll",
    "+49 30 901820",
    "=SUM(A1:A9)",
    "Yoga 🧘‍♀️ und 🏋️",
    "Morning\nEvening",
    "-10% Student",
    "@home",
)
_PRICES: Final = tuple(map(Decimal, ("29.90", "0", "1200.00", "-5.00", "49.5", "9.99", "75")))
_FROM: Final = tuple(
    f"20{year}-{month:02}-{day:02}" for year in range(10, 24) for month in range(1, 13) for day in (1, 15)
)
_UNTIL: Final = (None, "2024-12-31", "2025-02-28", "2026-06-30")
_STATES: Final = ("active", "expired", "cancelled", "paused", "pending")
_ASSIGNED_BY: Final = ("front desk", None, "Jürgen Müller")
_PAYMENT_METHODS: Final = ("sepa", "card", None, "cash", "invoice", None, "paypal", "sepa", "transfer")
_BILLING: Final = (("month", 1), ("month", 12), ("year", 1), ("week", 4), ("day", 30), ("day", 0))
_VALUES: Final = (_NAMES, _PRICES, _FROM, _UNTIL, _STATES, _ASSIGNED_BY, _PAYMENT_METHODS, _BILLING)


def sample_memberships(count: int, user_id: str, first_id: int = 1) -> Iterator[Membership]:
    """Make memberships of one user with rising ids. Each is the same whatever comes before and after it."""
    # A digest per row would take longer than all the rest.
    prefix = sha256(user_id.encode()).hexdigest()
    uuid = f"{prefix[:8]}-{prefix[8:12]}-8{prefix[12:15]}-8{prefix[15:18]}"
    values = zip(*(islice(cycle(some), (first_id - 1) % len(some), None) for some in _VALUES), strict=False)
    for number, value in zip(range(first_id, first_id + count), values, strict=False):
        name, price, start, end, state, assigned_by, payment_method, (interval, periods) = value
        yield Membership(
            id=number,
            uuid=f"{uuid}-{number:012x}",
            name=name,
            user_id=user_id,
            recurring_price=price,
            valid_from=start,
            valid_until=end,
            state=state,
            assigned_by=assigned_by,
            payment_method=payment_method,
            billing_interval=interval,
            billing_periods=periods,
        )
