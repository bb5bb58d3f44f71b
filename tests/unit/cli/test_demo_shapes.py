"""The APIs of the demo: they ask for their key, and have nothing but their list."""

import json
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from memberships_export.entrypoints.cli.demo.shape_server import serving
from memberships_export.entrypoints.cli.demo.shapes import SHAPES

ASKED = {
    "stripe-like": "?limit=2",
    "woocommerce-like": "?per_page=2",
    "jsonapi-like": "?page%5Bsize%5D=2",
    "plain-array": "",
}


def ask(url: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
    connection = HTTPConnection(urlsplit(url).netloc)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("api", SHAPES)
def test_an_api_of_the_demo_answers_its_list_to_who_has_the_key(api: str) -> None:
    shape = SHAPES[api]
    with serving(shape, 3) as url:
        status, page = ask(url, shape.path + ASKED[api], dict([shape.credential]))
        without_key, _ = ask(url, shape.path + ASKED[api], {})
        elsewhere, _ = ask(url, "/elsewhere", dict([shape.credential]))

    assert (status, without_key, elsewhere) == (200, 401, 404)
    assert "Stra" in page  # of the second membership, which every page has
    assert json.loads(page)


def test_the_stripe_like_one_says_on_the_last_page_that_there_is_no_more() -> None:
    page = SHAPES["stripe-like"].page

    first, last = page({"limit": "2"}, 3), page({"limit": "2", "starting_after": "sub_00000002"}, 3)

    assert [row["id"] for row in first.body["data"]] == ["sub_00000003", "sub_00000002"]
    assert [row["id"] for row in last.body["data"]] == ["sub_00000001"]
    assert (first.body["has_more"], last.body["has_more"]) == (True, False)
