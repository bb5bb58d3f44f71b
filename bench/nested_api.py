"""Pages of an API as others have them: rows with objects inside, keys that are text, cents, and seconds since 1970."""

import json
from typing import Any

USER = "cus_NffrFeUfNV2Hib"
PROFILE = """\
version = 1
columns = [
    { name = "id", required = true },
    { name = "member", path = "customer.name" },
    { name = "email", path = "customer.email" },
    { name = "status", required = true },
    { name = "plan", path = "plan.product.name" },
    { name = "price", type = "minor_units", path = "plan.amount", currency = "plan.currency" },
    { name = "currency", path = "plan.currency" },
    { name = "interval", path = "plan.interval" },
    { name = "quantity", type = "integer" },
    { name = "started", type = "epoch", path = "start_date" },
    { name = "ends", type = "epoch", path = "period.end" },
    { name = "cancels", type = "boolean", path = "cancel_at_period_end" },
]
request = { path = "/v1/subscriptions", params = { customer = "{user.id}" } }
rows = { path = "data", key = ["id"], owner = "customer.id" }
paginator = { type = "last_key", param = "starting_after", has_more_path = "has_more" }
"""
_NAMES = ("Anna Meier", "Jürgen Müller", 'Nora "Noa" Sutter', "-10% Student", "Ruiz, Ana", "Li")
_PLANS = (("Basic", 2990, "chf"), ("Größe & Kür", 120_000, "eur"), ("Family, two adults", 900, "jpy"))
_SECOND = 1_700_000_000


def nested_page(rows: int) -> bytes:
    """Make a page of so many rows with about 500 bytes each, as compact JSON."""
    page = {"object": "list", "has_more": True, "data": [_row(number) for number in range(rows)]}
    return json.dumps(page, ensure_ascii=False, separators=(",", ":")).encode()


def _row(number: int) -> dict[str, Any]:
    name, (plan, amount, currency) = _NAMES[number % 6], _PLANS[number % 3]
    started = _SECOND + number * 7_919  # each another second
    return {
        "id": f"sub_1MowQVLkdIwHu7ixeRlqHVzs{number:06}",
        "object": "subscription",
        "livemode": True,
        "customer": {"id": USER, "object": "customer", "name": name, "email": f"member{number}@example.org"},
        "status": ("active", "canceled", "past_due")[number % 3],
        "plan": {
            "id": f"price_{number % 3}",
            "amount": amount + number % 500,
            "currency": currency,
            "interval": "month",
            "product": {"id": "prod_NZKdYqrwEYx6iK", "name": plan},
        },
        "quantity": 1 + number % 2,
        "start_date": started,
        "period": {"start": started, "end": started + 2_592_000},
        "cancel_at_period_end": number % 5 == 0,
        "description": None,
        "metadata": {"note": "not read"},
    }
