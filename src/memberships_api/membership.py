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


def row_of(membership: Membership) -> tuple[object, ...]:
    """Return the values of a row, in the order of the columns; a price never has an exponent."""
    return (
        membership.id,
        membership.uuid,
        membership.name,
        membership.user_id,
        format(membership.recurring_price, "f"),
        membership.valid_from,
        membership.valid_until,
        membership.state,
        membership.assigned_by,
        membership.payment_method,
        membership.billing_interval,
        membership.billing_periods,
    )
