"""Any API, by a profile: what is mailed is what the API holds, value by value, or the export says what is wrong."""

import pytest

from memberships_export.domain.export.record import ExportStatus
from rig.services.apis.every import EVERY
from tests.apis.exports import Case

GRADES = {
    "pretix": "counted",
    "paid-memberships-pro": "counted",
    "woocommerce-subscriptions": "counted",
    "stripe": "ended",
    "paddle": "counted",
    "chargebee": "ended",
    "recharge": "ended",
    "hitobito": "counted",
    "jsonapi": "counted",
    "odata": "counted",
    "plain-array": "ended",
    "nested-array": "ended",
    "wordpress-style": "ended",
    "linked-array": "ended",
    "lines": "counted",
    "sparse": "counted",
    "arrays": "counted",
    "offset": "counted",
    "graphql": "counted",
}


@pytest.mark.parametrize("rows", [0, 1, 3, 7])
@pytest.mark.parametrize("name", EVERY)
def test_the_mailed_file_holds_what_the_api_holds_value_by_value(name: str, rows: int) -> None:
    with Case(name, rows=rows) as case:
        export = case.run()

        assert export.status is ExportStatus.COMPLETED, export
        assert case.mailed() == case.expected()
        assert export.progress.grade == GRADES[name]


@pytest.mark.parametrize("name", EVERY)
def test_an_api_that_sends_fewer_rows_than_asked_for_is_walked_to_its_end(name: str) -> None:
    with Case(name, rows=230, cap=None) as case:
        case.run()

        assert case.mailed() == case.expected()


def test_ten_thousand_pages_are_walked() -> None:
    with Case("stripe", rows=9_990, cap=1) as case:
        case.run()

        assert case.mailed() == case.expected()
