"""pretix: memberships of an organizer's customers.

https://docs.pretix.eu/dev/api/resources/memberships.html (fields, filter) and /dev/api/fundamentals.html (paging:
`count`, `next`, at most 50 rows a page). A page beyond the end is 404, as Django REST framework does it.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from rig.services.apis.exchange import Asked, Reply
from rig.services.apis.fake_api import FakeApi, Window
from rig.services.apis.held import Held


class Pretix(FakeApi):
    """Page numbers in links; a total; dates with an offset; no price and no name of the plan."""

    mount = "/api/v1/organizers/club"
    path = "/memberships/"
    secret = ("authorization", "Token pretix-token")
    cap = 50

    def user(self, asked: Asked) -> str:
        return asked.query.get("customer", "")

    def size(self, asked: Asked) -> int:
        return asked.number("page_size", 50)

    def start(self, asked: Asked, rows: Sequence[Held]) -> int:
        return (asked.number("page", 1) - 1) * min(self.size(asked), self.cap)

    def page(self, asked: Asked, window: Window) -> Reply:
        number = asked.number("page", 1)
        if number > 1 and not window.rows:
            return Reply({"detail": "Invalid page."}, 404)
        following = self.link(asked, page=number + 1) if window.more else None
        rows = self.listed([self.row(held) for held in window.rows])
        return Reply({"count": window.total, "next": following, "previous": None, "results": rows})

    types: ClassVar = {"Adult": 1, "=1+1": 2}

    def row(self, held: Held) -> dict[str, Any]:
        """One membership; the type is a number that stands for its name."""
        return {
            "id": held.number,
            "customer": self.member(held),
            "testmode": False,
            "membership_type": self.types.get(held.plan, 9),
            "date_start": held.since.isoformat(),
            "date_end": (held.until or held.since.replace(year=held.since.year + 1)).isoformat(),
            "attendee_name_parts": {"_scheme": "given_family", "given_name": "Ada", "family_name": "Example"},
        }
