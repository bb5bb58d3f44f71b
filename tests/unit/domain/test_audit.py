import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from memberships_export.domain.audit import (
    Action,
    Actor,
    Audited,
    id_bound,
    kept_id,
    moment_of,
)
from memberships_export.domain.pseudonyms import pseudonym, shortened_ip
from tests.factories import new_entry_id

NOW = datetime(2026, 3, 1, 12, 0, 0, 123_456, UTC)


def test_ids_are_uuids_of_version_7_that_sort_by_time() -> None:
    moments = [NOW + timedelta(microseconds=step) for step in (0, 1, 2, 543, 544, 10_000, 10**9)]
    ids = [new_entry_id(moment) for moment in moments]

    assert ids == sorted(ids)
    assert {UUID(one).version for one in ids} == {7}
    assert {UUID(one).variant for one in ids} == {UUID(int=0x8 << 60).variant}
    assert len({new_entry_id(NOW) for _ in range(100)}) == 100


def test_an_id_tells_its_millisecond_and_a_bound_stands_before_it() -> None:
    one = new_entry_id(NOW)

    assert moment_of(one) == NOW.replace(microsecond=123_000)
    assert id_bound(NOW) < one < id_bound(NOW + timedelta(milliseconds=1))


@pytest.mark.parametrize(
    "address, shortened",
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("::FFFF:c000:24d", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("::1", "::/48"),
        ("127.0.0.1", "127.0.0.0/24"),
        ("testclient", ""),
        ("", ""),
        ("192.0.2.77, 198.51.100.1", ""),
        ("192.0.2.77:443", ""),
    ],
)
def test_of_an_ip_address_only_its_network_is_kept(address: str, shortened: str) -> None:
    assert shortened_ip(address) == shortened


def test_a_pseudonym_is_the_same_for_a_user_and_another_with_another_key() -> None:
    known = pseudonym("user-1", "key")

    assert re.fullmatch("[0-9a-f]{32}", known)
    assert known == pseudonym("user-1", "key")
    assert known not in {pseudonym("user-2", "key"), pseudonym("user-1", "other key")}


@pytest.mark.parametrize("detail", ["anna@example.org", "Müller", "letters = 3", "x" * 101, "a\nb"])
def test_no_text_in_which_a_person_could_stand_becomes_a_detail(detail: str) -> None:
    with pytest.raises(ValueError, match="no word"):
        Audited(id="1", at=NOW, actor=Actor.SYSTEM, action=Action.DLQ_PURGED, detail=detail)


@pytest.mark.parametrize(
    "request_id, kept",
    [
        ("01J8-abc.1_2:3/4+5=", "01J8-abc.1_2:3/4+5="),
        ("anna@example.org", ""),
        ("x" * 129, ""),
        ("a\r\nb", ""),
        ("Anna Müller", ""),
    ],
)
def test_a_request_id_is_kept_only_when_it_can_hold_no_address(request_id: str, kept: str) -> None:
    assert kept_id(request_id) == kept
