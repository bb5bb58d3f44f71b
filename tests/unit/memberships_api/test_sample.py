from decimal import Decimal

from memberships_api.sample import sample_memberships


def test_sample_memberships_are_the_same_every_time() -> None:
    assert list(sample_memberships(500, "user-1")) == list(sample_memberships(500, "user-1"))


def test_sample_memberships_of_different_users_have_different_uuids() -> None:
    one, two = ({row.uuid for row in sample_memberships(100, user)} for user in ("user-1", "user-2"))
    assert len(one) == len(two) == 100
    assert not one & two


def test_sample_ids_rise_from_the_first_one() -> None:
    assert [row.id for row in sample_memberships(3, "user-1", first_id=7)] == [7, 8, 9]


def test_sample_memberships_are_awkward_in_every_way_that_matters() -> None:
    rows = list(sample_memberships(1000, "user-1"))
    names = "".join(row.name for row in rows)
    assert all(character in names for character in "ßö\"',\n🧘+=-@")
    assert {row.state for row in rows} == {"active", "expired", "cancelled", "paused", "pending"}
    assert {None} < {row.valid_until for row in rows}
    assert {None} < {row.assigned_by for row in rows}
    assert {None} < {row.payment_method for row in rows}
    assert {Decimal("29.90"), Decimal(0), Decimal("1200.00"), Decimal("-5.00")} < {row.recurring_price for row in rows}
    assert all(row.valid_until is None or row.valid_from <= row.valid_until for row in rows)
