"""APIs that keep to a standard: JSON:API, OData, GraphQL."""

from collections.abc import Sequence
from typing import Any

from rig.services.apis.exchange import Asked, Reply
from rig.services.apis.fake_api import FakeApi, Window
from rig.services.apis.held import Held


class JsonApi(FakeApi):
    """JSON:API 1.1, https://jsonapi.org/format/#fetching-pagination: `links.next`, null or absent on the last page."""

    mount = "/api"
    path = "/memberships"
    secret = ("authorization", "Bearer jsonapi-token")

    def user(self, asked: Asked) -> str:
        return asked.query.get("filter[member]", "")

    def state(self, asked: Asked) -> str:
        return asked.query.get("filter[state]", "")

    def size(self, asked: Asked) -> int:
        return asked.number("page[size]", 20)

    def start(self, asked: Asked, rows: Sequence[Held]) -> int:
        return (asked.number("page[number]", 1) - 1) * min(self.size(asked), self.cap)

    def page(self, asked: Asked, window: Window) -> Reply:
        number = asked.number("page[number]", 1)
        links = {"self": self.link(asked), "last": self.link(asked, **{"page[number]": ""})}
        if window.more:
            links["next"] = self.link(asked, **{"page[number]": number + 1})
        rows = self.listed([self.row(held) for held in window.rows])
        return Reply({"data": rows, "links": links, "meta": self.meta(asked, window)})

    def meta(self, asked: Asked, window: Window) -> dict[str, Any]:
        """What is said beside the rows."""
        return {} if window.total is None else {"total": window.total}

    def row(self, held: Held) -> dict[str, Any]:
        attributes = {
            "plan-name": held.plan,
            "state": held.state,
            "starts-on": f"{held.since:%Y-%m-%d}",
            "ends-on": f"{held.until:%Y-%m-%d}" if held.until else None,
            "price": held.amount,
            "currency": held.currency,
        }
        member = {"data": {"type": "people", "id": self.member(held)}}
        return {
            "type": "memberships",
            "id": str(held.number),
            "attributes": attributes,
            "relationships": {"member": member},
        }


class Hitobito(JsonApi):
    """Hitobito: the roles of a person.

    https://github.com/hitobito/hitobito, doc/developer/common/api/json_api.md (token, links, of which the last has an
    empty page number) and app/resources/role_resource.rb (attributes). Roles that have ended are not shown. No money.
    It is made with Graphiti, which counts when it is asked to (https://www.graphiti.dev/guides/concepts/resources).
    """

    path = "/roles"
    secret = ("x-token", "hitobito-token")

    def user(self, asked: Asked) -> str:
        return asked.query.get("filter[person_id]", "")

    def hides_ended(self, asked: Asked) -> bool:
        return True

    def meta(self, asked: Asked, window: Window) -> dict[str, Any]:
        counted = asked.query.get("stats[total]") == "count" and window.total is not None
        return {"stats": {"total": {"count": window.total}}} if counted else {}

    def row(self, held: Held) -> dict[str, Any]:
        attributes = {
            "name": held.plan,
            "person_id": int(self.member(held)),
            "group_id": held.number % 7,
            "type": "Group::Section::Member",
            "label": held.method,
            "start_on": f"{held.since:%Y-%m-%d}",
            "end_on": f"{held.until:%Y-%m-%d}" if held.until else None,
        }
        return {"type": "roles", "id": str(held.number), "attributes": attributes, "relationships": {}}


class OData(FakeApi):
    """OData 4.01, https://docs.oasis-open.org/odata/odata/v4.01/: `value`, `@odata.nextLink` and `@odata.count`.

    The next link is absent from the last page, and holds what it needs (`$skiptoken`). A service may send fewer rows
    than `odata.maxpagesize` prefers. Text in a filter stands between single quotes; a quote in it is doubled.
    """

    mount = "/odata"
    path = "/Memberships"
    secret = ("authorization", "Bearer {token}")

    def user(self, asked: Asked) -> str:
        value = asked.query.get("$filter", "").removeprefix("memberId eq ")
        return value[1:-1].replace("''", "'")

    def size(self, asked: Asked) -> int:
        _, _, size = asked.headers.get("prefer", "").partition("odata.maxpagesize=")
        return int(size or 100)

    def start(self, asked: Asked, rows: Sequence[Held]) -> int:
        return self.at_place(asked.query.get("$skiptoken"), rows)

    def page(self, asked: Asked, window: Window) -> Reply:
        place = self.place(window)
        following = {"@odata.nextLink": self.link(asked, **{"$skiptoken": place})} if place else {}
        counted = {"@odata.count": window.total} if asked.query.get("$count") == "true" else {}
        rows = self.listed([self.row(held) for held in window.rows])
        return Reply({"@odata.context": "$metadata#Memberships", **counted, "value": rows, **following})

    def row(self, held: Held) -> dict[str, Any]:
        return {
            "@odata.etag": 'W/"1"',
            "id": f"{held.number:08x}-0000-4000-8000-000000000000",
            "memberId": self.member(held),
            "name": held.plan,
            "state": held.state,
            "validFrom": f"{held.since:%Y-%m-%dT%H:%M:%SZ}",
            "validUntil": f"{held.until:%Y-%m-%dT%H:%M:%SZ}" if held.until else None,
            "price": held.amount,
            "currency": held.currency,
        }


class GraphQl(FakeApi):
    """GraphQL with connections, as Memberful has them.

    https://memberful.com/help/custom-development-and-api/memberful-api/: one address, POST, `first` and
    `after`, `pageInfo` (https://relay.dev/graphql/connections.htm). Errors come with status 200, and tokens live for
    minutes. Seconds since 1970.
    """

    path = "/api/graphql"
    methods = ("POST",)
    secret = ("authorization", "Bearer {token}")

    def user(self, asked: Asked) -> str:
        return str(asked.json["variables"]["member"])

    def state(self, asked: Asked) -> str:
        return str(asked.json["variables"].get("where", {}).get("state", "")).lower()

    def size(self, asked: Asked) -> int:
        return int(asked.json["variables"].get("first") or 50)

    def start(self, asked: Asked, rows: Sequence[Held]) -> int:
        return self.at_place(asked.json["variables"].get("after"), rows)

    def page(self, asked: Asked, window: Window) -> Reply:
        if "query" not in asked.json:
            return Reply({"errors": [{"message": "no query"}]})
        if "errors-with-200" in self.on:
            return Reply({"data": {"subscriptions": None}, "errors": [{"message": "Something went wrong"}]})
        place = self.place(window)
        edges = self.listed([{"node": self.row(held)} for held in window.rows])
        info = {"endCursor": place, "hasNextPage": place is not None}
        return Reply({"data": {"subscriptions": {"edges": edges, "pageInfo": info, "totalCount": window.total}}})

    def row(self, held: Held) -> dict[str, Any]:
        return {
            "id": str(held.number),
            "member": {"id": self.member(held)},
            "plan": {"name": held.plan, "priceCents": held.minor, "interval": held.interval},
            "currency": held.currency,
            "active": held.state == "active",
            "createdAt": int(held.since.timestamp()),
            "expiresAt": int(held.until.timestamp()) if held.until else None,
        }
