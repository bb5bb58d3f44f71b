"""What a compiled profile reads, that our own contract does not have."""

import pytest

from memberships_export.domain.source.exchange import Answer
from tests.readers import a_reader

PROFILE = """
version = 1
columns = [{{ name = "id" }}, {{ name = "price", type = "decimal"{more} }}]
request = {{ path = "/x", params = {{ user = "{{user.id}}" }} }}
auth = {{ type = "bearer", token = "env:TOKEN" }}
rows = {{ path = "", key = ["id"], owner = "id" }}
paginator = {{ type = "single_page" }}
"""


@pytest.mark.parametrize("more", ["", ", optional = true"])
def test_an_amount_that_may_be_null_is_read_where_it_is_there(more: str) -> None:
    reader = a_reader(PROFILE.format(more=more))
    page = reader.read(Answer(b'[{"id": "a", "price": "2.50"}, {"id": "b", "price": null}, {"id": "c", "price": 1e1}]'))

    assert reader.table(page.rows).cells[1] == ["2.50", None, "10"]


def test_an_amount_that_is_optional_may_be_left_out() -> None:
    reader = a_reader(PROFILE.format(more=", optional = true"))

    assert reader.table(reader.read(Answer(b'[{"id": "a"}]')).rows).cells[1] == [None]
