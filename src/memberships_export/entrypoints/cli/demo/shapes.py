"""Memberships APIs that are not like ours, for the demo: made-up memberships in the shapes of others."""

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode

from memberships_api.membership import Membership
from memberships_api.sample import sample_memberships

DEMO_USER = "demo-user"
_KEY = "demo-key"
_BLOCK = 1000

Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: JSON, and headers beside it."""

    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One API: the shipped profile that fits it, the variables with its secrets, and how it answers.

    `credential`: a header and what it must be. `page` is given the query and how many memberships there are.
    """

    profile: str
    secrets: Mapping[str, str]
    credential: tuple[str, str]
    path: str
    page: Callable[[Query, int], Page]
    newest_first: bool = False


def memberships_in_order(count: int, *, newest_first: bool) -> Iterator[Membership]:
    """Give so many memberships as an API has them; only some of them are ever in memory."""
    if not newest_first:
        return sample_memberships(count, DEMO_USER)
    lasts = range(count, 0, -_BLOCK)
    return (row for last in lasts for row in reversed(_rows(max(last - _BLOCK, 0) + 1, last)))


def _rows(first: int, last: int) -> Sequence[Membership]:
    """Make the memberships with these numbers; only a page of them is ever in memory."""
    return list(sample_memberships(max(last - first + 1, 0), DEMO_USER, first))


def _basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def _seconds(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


def _stripe(query: Query, count: int) -> Page:
    """Newest first, the next page behind the last id, cents, seconds since 1970."""
    limit, last = int(query["limit"]), query.get("starting_after")
    newest = int(last.removeprefix("sub_")) - 1 if last else count
    rows = [_subscription(row) for row in _rows(max(newest - limit, 0) + 1, newest)[::-1]]
    return Page({"object": "list", "has_more": newest > limit, "data": rows})


def _subscription(row: Membership) -> dict[str, Any]:
    price = {"id": f"price_{row.id % 7}", "nickname": row.name, "unit_amount": int(row.recurring_price * 100)}
    return {
        "id": f"sub_{row.id:08}",
        "customer": row.user_id,
        "status": row.state,
        "currency": "chf",
        "start_date": _seconds(row.valid_from),
        "ended_at": row.valid_until and _seconds(row.valid_until),
        "collection_method": "charge_automatically",
        "items": {"data": [{"price": {**price, "recurring": {"interval": row.billing_interval}}}]},
    }


def _woocommerce(query: Query, count: int) -> Page:
    """Page numbers, a bare array, totals in headers, times without a zone."""
    number, size = int(query.get("page", "1")), int(query["per_page"])
    rows = _rows((number - 1) * size + 1, min(number * size, count))
    headers = {"X-WP-Total": str(count), "X-WP-TotalPages": str(-(-count // size))}
    return Page([_order(row) for row in rows], headers)


def _order(row: Membership) -> dict[str, Any]:
    return {
        "id": row.id,
        "customer_id": row.user_id,
        "line_items": [{"name": row.name}],
        "status": row.state,
        "start_date_gmt": f"{row.valid_from}T08:30:00",
        "end_date_gmt": f"{row.valid_until}T08:30:00" if row.valid_until else "",
        "total": str(row.recurring_price),
        "currency": "EUR",
        "billing_period": row.billing_interval,
        "billing_interval": str(row.billing_periods),
        "payment_method": row.payment_method or "",
    }


def _jsonapi(query: Query, count: int) -> Page:
    """Links to the next page, attributes and relationships."""
    number, size = int(query.get("page[number]", "1")), int(query["page[size]"])
    rows = _rows((number - 1) * size + 1, min(number * size, count))
    following = "?" + urlencode({**query, "page[number]": number + 1}) if number * size < count else None
    return Page({"data": [_resource(row) for row in rows], "links": {"next": following}, "meta": {"total": count}})


def _resource(row: Membership) -> dict[str, Any]:
    attributes = {
        "plan-name": row.name,
        "state": row.state,
        "starts-on": row.valid_from,
        "ends-on": row.valid_until,
        "price": str(row.recurring_price),
        "currency": "EUR",
    }
    member = {"data": {"type": "people", "id": row.user_id}}
    return {"type": "memberships", "id": str(row.id), "attributes": attributes, "relationships": {"member": member}}


def _plain(query: Query, count: int) -> Page:
    """All rows in one array."""
    del query
    return Page([_plain_row(row) for row in _rows(1, count)])


def _plain_row(row: Membership) -> dict[str, Any]:
    return {
        "id": f"M-{row.id}",
        "memberId": row.user_id,
        "name": row.name,
        "state": row.state,
        "validFrom": row.valid_from,
        "validUntil": row.valid_until,
        "price": str(row.recurring_price),
        "currency": "EUR",
        "interval": row.billing_interval,
        "paymentMethod": row.payment_method,
    }


SHAPES: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "stripe-like": Shape(
            profile="stripe",
            secrets={"STRIPE_API_KEY": _KEY},
            credential=("Authorization", f"Bearer {_KEY}"),
            path="/v1/subscriptions",
            page=_stripe,
            newest_first=True,
        ),
        "woocommerce-like": Shape(
            profile="woocommerce-subscriptions",
            secrets={"WOOCOMMERCE_KEY": "demo", "WOOCOMMERCE_SECRET": _KEY},
            credential=("Authorization", _basic("demo", _KEY)),
            path="/wp-json/wc/v3/subscriptions",
            page=_woocommerce,
        ),
        "jsonapi-like": Shape(
            profile="jsonapi",
            secrets={"API_TOKEN": _KEY},
            credential=("Authorization", f"Bearer {_KEY}"),
            path="/memberships",
            page=_jsonapi,
        ),
        "plain-array": Shape(
            profile="plain-array",
            secrets={"API_KEY": _KEY},
            credential=("X-API-Key", _KEY),
            path=f"/members/{DEMO_USER}/memberships",
            page=_plain,
        ),
    }
)
