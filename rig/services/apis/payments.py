"""Payment services: a subscription is a membership. Money is mostly in the smallest unit of its currency."""

from collections.abc import Sequence
from typing import Any

from rig.services.apis.exchange import Asked, Reply, basic
from rig.services.apis.fake_api import FakeApi, Window
from rig.services.apis.held import Held

_STATES = {"active": "active", "paused": "paused", "ended": "canceled"}


class Stripe(FakeApi):
    """Stripe.

    https://docs.stripe.com/api/pagination (newest first, `starting_after`, `has_more`, 1 to 100 rows) and
    /api/subscriptions/list (ended ones only with `status=all`). Seconds since 1970; amounts in the smallest unit.
    """

    path = "/v1/subscriptions"
    secret = ("authorization", "Bearer sk_test")
    newest_first = True
    user_prefix = "cus_"

    def user(self, asked: Asked) -> str:
        return asked.query.get("customer", "")

    def hides_ended(self, asked: Asked) -> bool:
        return "status" not in asked.query

    def state(self, asked: Asked) -> str:
        status = asked.query.get("status", "all")
        return "" if status == "all" else {"canceled": "ended"}.get(status, status)

    def size(self, asked: Asked) -> int:
        return asked.number("limit", 10)

    def refusal(self, asked: Asked) -> Reply | None:
        if not 1 <= self.size(asked) <= 100:
            return Reply({"error": {"type": "invalid_request_error", "param": "limit"}}, 400)
        return None

    def start(self, asked: Asked, rows: Sequence[Held]) -> int:
        last = asked.query.get("starting_after")
        return self.behind(int(last.removeprefix("sub_")), rows) if last else 0

    def page(self, asked: Asked, window: Window) -> Reply:
        rows = self.listed([self.row(held) for held in window.rows])
        return Reply({"object": "list", "url": asked.path, "has_more": window.more, "data": rows})

    def row(self, held: Held) -> dict[str, Any]:
        currency = held.currency.lower()
        price = {"id": f"price_{held.number % 3}", "unit_amount": held.minor, "currency": currency}
        recurring = {"nickname": held.plan, "recurring": {"interval": held.interval}}
        return {
            "id": f"sub_{held.number:09}",
            "object": "subscription",
            "customer": self.member(held),
            "status": _STATES[held.state],
            "currency": currency,
            "created": int(held.since.timestamp()),
            "start_date": int(held.since.timestamp()),
            "ended_at": int(held.until.timestamp()) if held.until else None,
            "collection_method": "charge_automatically",
            "items": {"object": "list", "data": [{"price": price | recurring}]},
            "metadata": {},
        }


class Paddle(FakeApi):
    """Paddle Billing.

    https://developer.paddle.com/api-reference/about/pagination: `meta.pagination` has the address of the next page, and
    on the last page one that leads to itself; only `has_more` says that it was the last. `estimated_total` is exact up
    to 100 000, then 100 001 or -1. Amounts are text in the smallest unit.
    """

    path = "/subscriptions"
    secret = ("authorization", "Bearer pdl_test")
    cap = 200
    user_prefix = "ctm_"

    def user(self, asked: Asked) -> str:
        return asked.query.get("customer_id", "")

    def size(self, asked: Asked) -> int:
        return asked.number("per_page", 50)

    def start(self, asked: Asked, rows: Sequence[Held]) -> int:
        last = asked.query.get("after")
        return self.behind(int(last.removeprefix("sub_")), rows) if last else 0

    def page(self, asked: Asked, window: Window) -> Reply:
        rows = self.listed([self.row(held) for held in window.rows])
        more = {"after": rows[-1]["id"]} if window.more and rows else {}
        following = {"next": self.link(asked, **more), "has_more": window.more, "estimated_total": window.total}
        return Reply({"data": rows, "meta": {"request_id": "r", "pagination": {"per_page": self.cap, **following}}})

    def row(self, held: Held) -> dict[str, Any]:
        price = {"name": held.plan, "unit_price": {"amount": str(held.minor), "currency_code": held.currency}}
        return {
            "id": f"sub_{held.number:09}",
            "status": _STATES[held.state],
            "customer_id": self.member(held),
            "currency_code": held.currency,
            "started_at": f"{held.since:%Y-%m-%dT%H:%M:%S}.123456Z",
            "canceled_at": f"{held.until:%Y-%m-%dT%H:%M:%S}Z" if held.until else None,
            "billing_cycle": {"interval": held.interval, "frequency": 1},
            "items": [{"status": "active", "quantity": 1, "price": price}],
        }


class Chargebee(FakeApi):
    """Chargebee.

    https://apidocs.chargebee.com/docs/api/#pagination_and_filtering: what is called `offset` is a text that only
    Chargebee can read; `next_offset` is absent from the last page; 1 to 100 rows. The API key is the name, without a
    password. What has no value is left out of a row.
    """

    mount = "/api/v2"
    path = "/subscriptions"
    secret = ("authorization", basic("cb_key", ""))

    def user(self, asked: Asked) -> str:
        return asked.query.get("customer_id[is]", "")

    def state(self, asked: Asked) -> str:
        status = asked.query.get("status[is]", "")
        return {"cancelled": "ended"}.get(status, status)

    def size(self, asked: Asked) -> int:
        return asked.number("limit", 10)

    def refusal(self, asked: Asked) -> Reply | None:
        if not 1 <= self.size(asked) <= 100:
            return Reply({"api_error_code": "param_wrong_value", "param": "limit"}, 400)
        return None

    def start(self, asked: Asked, rows: Sequence[Held]) -> int:
        return self.at_place(asked.query.get("offset"), rows)

    def page(self, asked: Asked, window: Window) -> Reply:
        rows = self.listed(
            [{"subscription": self.row(held), "customer": {"id": self.member(held)}} for held in window.rows]
        )
        place = self.place(window)
        return Reply({"list": rows} | ({"next_offset": place} if place else {}))

    def row(self, held: Held) -> dict[str, Any]:
        row = {
            "id": f"cb{held.number}",
            "customer_id": self.member(held),
            "status": {"ended": "cancelled"}.get(held.state, held.state),
            "currency_code": held.currency,
            "billing_period": 1,
            "billing_period_unit": held.interval,
            "started_at": int(held.since.timestamp()),
            "cancelled_at": int(held.until.timestamp()) if held.until else None,
            "subscription_items": [
                {"item_price_id": held.plan, "item_type": "plan", "amount": held.minor, "quantity": 1}
            ],
        }
        return {name: value for name, value in row.items() if value is not None}


class Recharge(FakeApi):
    """Recharge.

    https://developer.getrecharge.com/2021-11/cursor_pagination: beside a cursor only `limit` may be sent, anything else
    is refused; at most 250 rows; `next_cursor` is null on the last page. Amounts are decimal text.
    """

    path = "/subscriptions"
    secret = ("x-recharge-access-token", "rc_token")
    cap = 250

    def user(self, asked: Asked) -> str:
        """Return the one of the first page: a cursor knows what it was asked with."""
        return asked.query["cursor"].split(".")[1] if "cursor" in asked.query else asked.query.get("customer_id", "")

    def state(self, asked: Asked) -> str:
        status = asked.query["cursor"].split(".")[2] if "cursor" in asked.query else asked.query.get("status", "")
        return {"cancelled": "ended"}.get(status, status)

    def size(self, asked: Asked) -> int:
        return asked.number("limit", 50)

    def refusal(self, asked: Asked) -> Reply | None:
        if self.size(asked) > 250 or ("cursor" in asked.query and asked.query.keys() - {"cursor", "limit"}):
            return Reply({"errors": {"cursor": "only limit may be sent with a cursor"}}, 400)
        return None

    def start(self, asked: Asked, rows: Sequence[Held]) -> int:
        return self.at_place(asked.query.get("cursor", "").partition(".")[0], rows)

    def page(self, asked: Asked, window: Window) -> Reply:
        place = self.place(window)
        state = "" if "state-forgotten" in self.on else self.state(asked)
        following = f"{place}.{self.user(asked)}.{state}" if place else None
        rows = self.listed([self.row(held) for held in window.rows])
        return Reply({"next_cursor": following, "previous_cursor": None, "subscriptions": rows})

    def row(self, held: Held) -> dict[str, Any]:
        return {
            "id": held.number,
            "customer_id": int(self.member(held)),
            "product_title": held.plan,
            "status": {"ended": "cancelled"}.get(held.state, held.state),
            "price": held.amount,
            "presentment_currency": held.currency,
            "charge_interval_frequency": 1,
            "order_interval_unit": held.interval,
            "created_at": f"{held.since:%Y-%m-%dT%H:%M:%S}",
            "cancelled_at": f"{held.until:%Y-%m-%dT%H:%M:%S}" if held.until else None,
        }
