"""The fakes do what their originals are documented to do, seen by plain HTTP."""

import json
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from rig.services.apis.every import EVERY
from rig.services.apis.exchange import basic
from rig.services.apis.fake_api import FakeApi
from rig.services.apis.held import Holdings
from rig.services.apis.switches import SWITCHES

WORDPRESS = basic("export", "abcd efgh ijkl")


def ask(api: FakeApi, path: str, **headers: str) -> tuple[int, Mapping[str, str], Any]:
    connection = HTTPConnection(urlsplit(api.url).netloc)
    try:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), json.loads(answer.read())
    finally:
        connection.close()


def held(rows: int = 7) -> Holdings:
    return Holdings({"42": rows, "43": 2})


@pytest.mark.parametrize("name", EVERY)
def test_no_fake_answers_somebody_without_a_key(name: str) -> None:
    with EVERY[name](held()) as api:
        assert ask(api, api.mount + api.path.replace("{user}", "42"))[0] == 401


@pytest.mark.parametrize(
    "name, path, headers, status",
    [
        (
            "pretix",
            "/api/v1/organizers/club/memberships/?customer=42&page=2",
            {"Authorization": "Token pretix-token"},
            404,
        ),
        ("wordpress-style", "/wp-json/club/v1/memberships?user=42&page=2", {"Authorization": WORDPRESS}, 400),
        ("wordpress-style", "/wp-json/club/v1/memberships?user=42&per_page=101", {"Authorization": WORDPRESS}, 400),
        (
            "paid-memberships-pro",
            "/wp-json/pmpro/v1/subscriptions?user_id=42&page=2",
            {"Authorization": WORDPRESS},
            200,
        ),
        ("stripe", "/v1/subscriptions?customer=cus_42&limit=101", {"Authorization": "Bearer sk_test"}, 400),
        ("recharge", "/subscriptions?cursor=p1&customer_id=42", {"X-Recharge-Access-Token": "rc_token"}, 400),
        ("chargebee", "/api/v2/subscriptions?offset=gone", {"Authorization": basic("cb_key", "")}, 400),
        ("plain-array", "/members/nobody/memberships", {"X-Api-Key": "plain-key"}, 404),
    ],
)
def test_each_refuses_what_its_original_refuses(name: str, path: str, headers: dict[str, str], status: int) -> None:
    with EVERY[name](held()) as api:
        assert ask(api, path, **headers)[0] == status


def test_stripe_begins_with_the_newest_and_hides_what_has_ended_unless_asked_for_all() -> None:
    with EVERY["stripe"](held()) as api:
        _, _, some = ask(api, "/v1/subscriptions?customer=cus_42", Authorization="Bearer sk_test")
        _, _, every = ask(api, "/v1/subscriptions?customer=cus_42&status=all", Authorization="Bearer sk_test")

    assert len(some["data"]) < len(every["data"]) == 7
    assert [row["id"] for row in every["data"]] == sorted((row["id"] for row in every["data"]), reverse=True)


def test_the_last_page_of_paddle_leads_to_itself() -> None:
    with EVERY["paddle"](held()) as api:
        _, _, page = ask(api, "/subscriptions?customer_id=ctm_42", Authorization="Bearer pdl_test")

    assert page["meta"]["pagination"] == {
        "per_page": 200,
        "next": f"{api.url}/subscriptions?customer_id=ctm_42",
        "has_more": False,
        "estimated_total": 7,
    }


def test_chargebee_leaves_out_the_next_offset_on_the_last_page_and_values_that_are_not_there() -> None:
    with EVERY["chargebee"](held(), cap=4) as api:
        key = basic("cb_key", "")
        _, _, first = ask(api, "/api/v2/subscriptions?customer_id[is]=42", Authorization=key)
        _, _, last = ask(
            api, f"/api/v2/subscriptions?customer_id[is]=42&offset={first['next_offset']}", Authorization=key
        )

    assert "next_offset" not in last
    assert "cancelled_at" not in first["list"][0]["subscription"]
    assert [len(first["list"]), len(last["list"])] == [4, 3]


def test_paid_memberships_pro_clamps_the_size_and_takes_a_user_that_is_no_number_for_everybody() -> None:
    with EVERY["paid-memberships-pro"](held(), cap=5) as api:
        path = "/wp-json/pmpro/v1/subscriptions?per_page=500&user_id="
        _, one, mine = ask(api, path + "42", Authorization=WORDPRESS)
        _, all_of_them, _ = ask(api, path + "mx-0", Authorization=WORDPRESS)

    assert len(mine) == 5
    assert (one["X-WP-Total"], one["X-WP-TotalPages"], all_of_them["X-WP-Total"]) == ("7", "2", "9")


def test_a_switch_that_nobody_knows_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="known: filter-ignored, "):
        EVERY["stripe"](held(), "filter-ignord")

    assert all(SWITCHES.values())
