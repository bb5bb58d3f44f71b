"""What a membership is."""

from decimal import Decimal

import msgspec


class Membership(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One membership of one user. Dates are ISO 8601 text; the price keeps its digits: 120.50 stays 120.50."""

    id: int
    uuid: str
    name: str
    user_id: str
    recurring_price: Decimal
    valid_from: str
    valid_until: str | None
    state: str
    assigned_by: str | None
    payment_method: str | None
    billing_interval: str
    billing_periods: int
