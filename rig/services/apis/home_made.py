"""APIs that a club's own developers wrote: each in its own way."""

import json
from collections.abc import Sequence
from typing import Any

from rig.services.apis.exchange import Asked, Reply
from rig.services.apis.fake_api import FakeApi, Window
from rig.services.apis.held import Held


class PlainArray(FakeApi):
    """All rows in one array, the member in the path; a member that is not known is 404."""

    path = "/members/{user}/memberships"
    secret = ("x-api-key", "plain-key")
    cap = 1_000_000

    def user(self, asked: Asked) -> str:
        return asked.path.split("/")[2]

    def state(self, asked: Asked) -> str:
        return asked.query.get("state", "")

    def size(self, asked: Asked) -> int:
        return self.cap

    def start(self, asked: Asked, rows: Sequence[Held]) -> int:
        return 0

    def page(self, asked: Asked, window: Window) -> Reply:
        if self.user(asked) not in self.holdings.of:
            return Reply({"error": "no such member"}, 404)
        return Reply(self.listed([self.row(held) for held in window.rows]))

    def row(self, held: Held) -> dict[str, Any]:
        return {
            "id": f"M-{held.number}",
            "memberId": self.member(held),
            "name": held.plan,
            "state": held.state,
            "validFrom": f"{held.since:%Y-%m-%d}",
            "validUntil": f"{held.until:%Y-%m-%d}" if held.until else None,
            "price": held.amount,
            "currency": held.currency,
            "interval": held.interval,
            "paymentMethod": held.method,
        }


class NestedArray(PlainArray):
    """The same with rows in two parts, `{"membership": {...}, "periods": [...]}`, and users that are numbers."""

    path = "/api/memberships"

    def user(self, asked: Asked) -> str:
        return asked.query.get("userId", "")

    def page(self, asked: Asked, window: Window) -> Reply:
        return Reply(self.listed([self.row(held) for held in window.rows]))

    def row(self, held: Held) -> dict[str, Any]:
        membership = {
            "number": held.number,
            "userId": int(self.member(held)),
            "plan": held.plan,
            "tags": [held.interval, held.state],
        }
        period = {
            "from": int(held.since.timestamp() * 1000),
            "to": int(held.until.timestamp() * 1000) if held.until else 0,
        }
        return {
            "membership": membership | {"price": float(held.amount), "open": held.until is None},
            "periods": [period],
        }


class LinkedArray(PlainArray):
    """Pages that are arrays; the header `Link` leads to the next one (RFC 8288), and no total is told."""

    path = "/memberships"
    cap = 50

    def user(self, asked: Asked) -> str:
        return asked.query.get("member", "")

    def size(self, asked: Asked) -> int:
        return asked.number("per_page", 20)

    def start(self, asked: Asked, rows: Sequence[Held]) -> int:
        return self.at_place(asked.query.get("since"), rows)

    def page(self, asked: Asked, window: Window) -> Reply:
        place = self.place(window)
        links = [
            f'<{self.link(asked)}>; rel="first"',
            *([f'<{self.link(asked, since=place)}>; rel="next"'] if place else []),
        ]
        return Reply(self.listed([self.row(held) for held in window.rows]), headers={"Link": ", ".join(links)})


class Lines(LinkedArray):
    """A row in each line (NDJSON); what stands beside rows elsewhere is in headers here."""

    path = "/bulk/memberships"

    def page(self, asked: Asked, window: Window) -> Reply:
        linked = super().page(asked, window)
        total = {} if window.total is None else {"X-Total-Count": str(window.total)}
        lines = [json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in linked.body or ()]
        return Reply(b"".join(lines), headers={**linked.headers, **total, "Content-Type": "application/x-ndjson"})


class Sparse(FakeApi):
    """Our own envelope, with fields of its own, and without some that ours has; a cursor, a total."""

    path = "/v2/my/memberships"
    secret = ("authorization", "Bearer sparse-token")

    def user(self, asked: Asked) -> str:
        return asked.query.get("user", "")

    def size(self, asked: Asked) -> int:
        return asked.number("limit", 20)

    def start(self, asked: Asked, rows: Sequence[Held]) -> int:
        return self.at_place(asked.query.get("cursor"), rows)

    def page(self, asked: Asked, window: Window) -> Reply:
        rows = self.listed([self.row(held) for held in window.rows])
        return Reply({"items": rows, "nextCursor": self.place(window), "total": window.total, "took": 3})

    def row(self, held: Held) -> dict[str, Any]:
        row = {
            "id": held.number,
            "name": held.plan,
            "owner": {"id": self.member(held)},
            "notes": {"x": [1, {"y": None}]},
        }
        maybe = {"method": held.method, "until": held.until and f"{held.until:%Y-%m-%d}"}
        return row | {name: value for name, value in maybe.items() if value is not None}


class Arrays(Sparse):
    """The same with rows as arrays, as Datasette (https://docs.datasette.io/en/stable/json_api.html) has them.

    Each page names its columns, in an order of its own.
    """

    path = "/v2/my/arrays"

    def page(self, asked: Asked, window: Window) -> Reply:
        plain = super().page(asked, window)
        names = ["id", "name", "owner", "notes", "method", "until"]
        names = names[self.pages % 6 :] + names[: self.pages % 6]
        rows = plain.body["items"]
        arrays = rows and [[row.get(name) for name in names] for row in rows]
        return Reply(plain.body | {"columns": names, "items": arrays})


class Offset(FakeApi):
    """Offset and limit, as Mindbody (https://developers.mindbodyonline.com) pages its client memberships; a total.

    The limit is clamped without a word, and an offset beyond the end gives no rows.
    """

    path = "/client/memberships"
    secret = ("api-key", "offset-key")

    def user(self, asked: Asked) -> str:
        return asked.query.get("clientId", "")

    def state(self, asked: Asked) -> str:
        return {"1": "active", "2": "paused", "3": "ended"}.get(asked.query.get("status", ""), "")

    def size(self, asked: Asked) -> int:
        return asked.number("limit", 100)

    def start(self, asked: Asked, rows: Sequence[Held]) -> int:
        return asked.number("offset", 0)

    def page(self, asked: Asked, window: Window) -> Reply:
        rows = self.listed([self.row(held) for held in window.rows])
        told = {
            "RequestedOffset": asked.number("offset", 0),
            "PageSize": len(window.rows),
            "TotalResults": window.total,
        }
        return Reply({"PaginationResponse": told, "ClientMemberships": rows})

    def row(self, held: Held) -> dict[str, Any]:
        return {
            "Id": held.number,
            "ClientId": self.member(held),
            "Name": held.plan,
            "Status": {"active": 1, "paused": 2, "ended": 3}[held.state],
            "ActiveDate": f"{held.since:%Y-%m-%dT%H:%M:%S}",
            "ExpirationDate": f"{held.until:%Y-%m-%dT%H:%M:%S}" if held.until else None,
            "Price": held.amount,
            "Currency": held.currency,
        }
