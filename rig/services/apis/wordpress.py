"""APIs inside WordPress: page numbers, a bare array, totals in headers.

https://developer.wordpress.org/rest-api/using-the-rest-api/pagination/ (X-WP-Total, X-WP-TotalPages; `per_page` above
100 is 400, and so is a page beyond the end) and /using-the-rest-api/authentication/ (application passwords).
"""

from collections.abc import Sequence
from typing import Any

from rig.services.apis.exchange import Asked, Reply, basic
from rig.services.apis.fake_api import FakeApi, Window
from rig.services.apis.held import Held

_LARGEST_PAGE = 100


class WordPressStyle(FakeApi):
    """As a plugin does that follows WordPress' own lists. Newest first, unless asked for another order."""

    path = "/wp-json/club/v1/memberships"
    secret = ("authorization", basic("export", "abcd efgh ijkl"))
    user_param = "user"

    def user(self, asked: Asked) -> str:
        return asked.query.get(self.user_param, "")

    def state(self, asked: Asked) -> str:
        return asked.query.get("status", "")

    def falls(self, asked: Asked) -> bool:
        return (asked.query.get("orderby"), asked.query.get("order")) != ("id", "asc")

    def size(self, asked: Asked) -> int:
        return asked.number("per_page", 10)

    def start(self, asked: Asked, rows: Sequence[Held]) -> int:
        return (asked.number("page", 1) - 1) * min(self.size(asked), self.cap)

    def refusal(self, asked: Asked) -> Reply | None:
        if self.size(asked) > _LARGEST_PAGE:
            return Reply({"code": "rest_invalid_param", "message": "Invalid parameter(s): per_page"}, 400)
        return None

    def page(self, asked: Asked, window: Window) -> Reply:
        if asked.number("page", 1) > 1 and not window.rows:
            return Reply({"code": "rest_post_invalid_page_number"}, 400)
        return self.array(asked, window)

    def array(self, asked: Asked, window: Window) -> Reply:
        """Write the page, whatever its number."""
        total, size = window.total, min(self.size(asked), self.cap)
        pages = -1 if total == -1 else -(-(total or 0) // size)
        headers = {} if total is None else {"X-WP-Total": str(total), "X-WP-TotalPages": str(pages)}
        return Reply(self.listed([self.row(held) for held in window.rows]), headers=headers)

    def row(self, held: Held) -> dict[str, Any]:
        return {
            "id": held.number,
            "user": int(self.member(held)),
            "title": {"rendered": held.plan},
            "status": held.state,
            "date_gmt": f"{held.since:%Y-%m-%dT%H:%M:%S}",
            "end_gmt": f"{held.until:%Y-%m-%dT%H:%M:%S}" if held.until else "0000-00-00T00:00:00",
            "meta": {"price": held.amount, "currency": held.currency, "interval": held.interval},
            "payment": held.method,
        }


class PaidMembershipsPro(WordPressStyle):
    """Paid Memberships Pro: subscriptions.

    includes/rest-api.php of https://github.com/strangerstudios/paid-memberships-pro: `per_page` is clamped to 100
    without a word, a page beyond the end is empty, the order falls by start date unless asked for, and a `user_id` that
    is no number becomes 0, which is no filter at all. Money is a JSON number without a currency.
    """

    path = "/wp-json/pmpro/v1/subscriptions"

    def user(self, asked: Asked) -> str:
        digits = asked.query.get("user_id", "")
        return str(int(digits)) if digits.isdecimal() and int(digits) else ""

    def size(self, asked: Asked) -> int:
        return min(asked.number("per_page", 20) or 20, self.cap)

    def refusal(self, asked: Asked) -> None:
        """Refuse nothing."""

    def page(self, asked: Asked, window: Window) -> Reply:
        return self.array(asked, window)

    def row(self, held: Held) -> dict[str, Any]:
        return {
            "id": held.number,
            "user_id": int(self.member(held)),
            "membership_level_id": len(held.plan),
            "status": {"active": "active", "paused": "active"}.get(held.state, "cancelled"),
            "gateway": held.method or "",
            "gateway_environment": "live",
            "subscription_transaction_id": f"sub_{held.number}",
            "billing_amount": float(held.amount),
            "cycle_number": 1,
            "cycle_period": held.interval.capitalize(),
            "startdate": held.since.isoformat(),
            "enddate": held.until.isoformat() if held.until else None,
            "next_payment_date": None,
        }


class WooCommerceSubscriptions(WordPressStyle):
    """WooCommerce Subscriptions.

    https://woocommerce.github.io/subscriptions-rest-api-docs (fields, `customer`) on top of WooCommerce's own lists: a
    page beyond the end is empty. Dates are without a zone, with a twin in UTC; one that is not there is empty text.
    """

    path = "/wp-json/wc/v3/subscriptions"
    secret = ("authorization", basic("ck_key", "cs_secret"))
    user_param = "customer"

    def page(self, asked: Asked, window: Window) -> Reply:
        return self.array(asked, window)

    def row(self, held: Held) -> dict[str, Any]:
        return {
            "id": held.number,
            "status": {"paused": "on-hold", "ended": "expired"}.get(held.state, held.state),
            "currency": held.currency,
            "total": held.amount,
            "customer_id": int(self.member(held)),
            "payment_method": held.method or "",
            "billing_period": held.interval,
            "billing_interval": "1",
            "start_date_gmt": f"{held.since:%Y-%m-%dT%H:%M:%S}",
            "end_date_gmt": f"{held.until:%Y-%m-%dT%H:%M:%S}" if held.until else "",
            "line_items": [{"id": 1, "name": held.plan, "quantity": 1}],
            "meta_data": [],
        }
