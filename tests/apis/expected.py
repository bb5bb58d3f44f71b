"""What a member must find in the file: made of what the fake holds, by rules written here once more.

Nothing of the service is used, and nothing of how a fake writes a row.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from rig.services.apis.held import Held

Cell = Callable[[Held], str | None]
_PLACES = {"CHF": 2, "EUR": 2, "JPY": 0, "KWD": 3}  # ISO 4217


def table(name: str, rows: Sequence[Held]) -> list[dict[str, str]]:
    """Return the rows of the file by the profile of this name."""
    columns = {column: _USUAL.get(column) for column in _NAMES[name].split()} | _OWN.get(name, {})
    return [{column: (cell(held) or "") if cell else "" for column, cell in columns.items()} for held in rows]


def read(content: bytes) -> list[dict[str, str]]:
    """Read a CSV file as a program of somebody else would."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def price(held: Held) -> str:
    """Return 2990 CHF as 29.90, and 2990 JPY as 2990."""
    return str(Decimal(held.minor).scaleb(-_PLACES[held.currency]))


def instant(moment: datetime | None) -> str | None:
    """Return a time in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def day(moment: datetime | None) -> str | None:
    """Return its day, in UTC."""
    return moment.strftime("%Y-%m-%d") if moment else None


def _in_zurich(moment: datetime | None) -> str | None:
    return instant(moment.replace(tzinfo=ZoneInfo("Europe/Zurich")) if moment else None)


def _float(held: Held) -> str:
    return json.dumps(float(price(held)))


def _states(words: Mapping[str, str]) -> Cell:
    return lambda held: words.get(held.state, held.state)


_USUAL: dict[str, Cell] = {
    "id": lambda held: str(held.number),
    "name": lambda held: held.plan,
    "state": lambda held: held.state,
    "recurringPrice": price,
    "currency": lambda held: held.currency,
    "billingInterval": lambda held: held.interval,
    "billingPeriods": lambda _: "1",
    "paymentMethod": lambda held: held.method,
    "validFrom": lambda held: instant(held.since),
    "validUntil": lambda held: instant(held.until),
}
_NAMES = {
    "pretix": "id membershipType validFrom validUntil testMode",
    "paid-memberships-pro": "id membershipLevel state validFrom validUntil recurringPrice billingInterval"
    " billingPeriods paymentMethod",
    "woocommerce-subscriptions": "id name state validFrom validUntil recurringPrice currency billingInterval"
    " billingPeriods paymentMethod",
    "stripe": "id name priceId state validFrom validUntil recurringPrice currency billingInterval collection",
    "paddle": "id name state validFrom validUntil recurringPrice currency billingInterval billingPeriods",
    "chargebee": "id name state validFrom validUntil recurringPrice currency billingInterval billingPeriods",
    "recharge": "id name state validFrom validUntil recurringPrice currency billingInterval billingPeriods",
    "hitobito": "id name type label groupId validFrom validUntil",
    "jsonapi": "id name state validFrom validUntil recurringPrice currency",
    "odata": "id name state validFrom validUntil recurringPrice currency",
    "plain-array": "id name state validFrom validUntil recurringPrice currency billingInterval paymentMethod",
    "nested-array": "id name tags recurringPrice open validFrom validUntil club",
    "wordpress-style": "id name state validFrom validUntil recurringPrice currency billingInterval paymentMethod",
    "linked-array": "id name state validFrom validUntil recurringPrice currency",
    "lines": "id name state validFrom validUntil recurringPrice currency",
    "sparse": "id uuid name userId validUntil paymentMethod",
    "arrays": "id uuid name userId validUntil paymentMethod",
    "offset": "id name state validFrom validUntil recurringPrice currency",
    "graphql": "id name recurringPrice currency active validFrom validUntil",
}
_DAYS: dict[str, Cell] = {"validFrom": lambda held: day(held.since), "validUntil": lambda held: day(held.until)}
_OWN: dict[str, dict[str, Cell]] = {
    "pretix": {
        "membershipType": lambda held: {"Adult": "1", "=1+1": "2"}.get(held.plan, "9"),
        "validUntil": lambda held: instant(held.until or held.since.replace(year=held.since.year + 1)),
        "testMode": lambda _: "false",
    },
    "paid-memberships-pro": {
        "membershipLevel": lambda held: str(len(held.plan)),
        "state": _states({"paused": "active", "ended": "cancelled"}),
        "recurringPrice": _float,
        "billingInterval": lambda held: held.interval.capitalize(),
    },
    "woocommerce-subscriptions": {"state": _states({"paused": "on-hold", "ended": "expired"})},
    "stripe": {
        "id": lambda held: f"sub_{held.number:09}",
        "priceId": lambda held: f"price_{held.number % 3}",
        "state": _states({"ended": "canceled"}),
        "currency": lambda held: held.currency.lower(),
        "collection": lambda _: "charge_automatically",
    },
    "paddle": {
        "id": lambda held: f"sub_{held.number:09}",
        "state": _states({"ended": "canceled"}),
        "validFrom": lambda held: held.since.strftime("%Y-%m-%dT%H:%M:%S.123456Z"),
    },
    "chargebee": {"id": lambda held: f"cb{held.number}", "state": _states({"ended": "cancelled"})},
    "recharge": {
        "state": _states({"ended": "cancelled"}),
        "validFrom": lambda held: held.since.strftime("%Y-%m-%dT%H:%M:%S"),
        "validUntil": lambda held: held.until.strftime("%Y-%m-%dT%H:%M:%S") if held.until else None,
    },
    "hitobito": {
        "type": lambda _: "Group::Section::Member",
        "label": lambda held: held.method,
        "groupId": lambda held: str(held.number % 7),
        **_DAYS,
    },
    "jsonapi": _DAYS,
    "odata": {"id": lambda held: f"{held.number:08x}-0000-4000-8000-000000000000"},
    "plain-array": {"id": lambda held: f"M-{held.number}", **_DAYS},
    "nested-array": {
        "tags": lambda held: f"{held.interval}, {held.state}",
        "recurringPrice": _float,
        "open": lambda held: "no" if held.until else "yes",
        "club": lambda _: "Climbing Gym",
    },
    "wordpress-style": {"state": _states({"ended": "over"})},
    "linked-array": {"id": lambda held: f"M-{held.number}", **_DAYS},
    "lines": {"id": lambda held: f"M-{held.number}", **_DAYS},
    "arrays": {"userId": lambda held: held.user, "validUntil": lambda held: day(held.until)},
    "sparse": {"userId": lambda held: held.user, "validUntil": lambda held: day(held.until)},
    "offset": {"validFrom": lambda held: _in_zurich(held.since), "validUntil": lambda held: _in_zurich(held.until)},
    "graphql": {"active": lambda held: "true" if held.state == "active" else "false"},
}
