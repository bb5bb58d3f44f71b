import hashlib
import hmac
import string
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberships_api.cursor import Cursor, InvalidCursor, check_cursor, read_cursor, write_cursor

KEY = bytes(range(32))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CURSOR = Cursor("user-1", "active", after=100, bound=2500, total=2400, issued_at=int(NOW.timestamp()))
BASE64URL = string.ascii_letters + string.digits + "-_"


@given(
    user_id=st.text(st.characters(codec="utf-8")),
    state=st.none() | st.text(st.characters(codec="utf-8")),
    after=st.integers(1, 2**63 - 1),
)
def test_a_cursor_reads_back_as_it_was_written(user_id: str, state: str | None, after: int) -> None:
    cursor = Cursor(user_id, state, after, bound=after + 1, total=7, issued_at=0)
    assert read_cursor(write_cursor(cursor, KEY), KEY) == cursor


def test_a_cursor_needs_no_escaping_in_a_url() -> None:
    assert set(write_cursor(CURSOR, KEY)) <= set(BASE64URL)


def test_a_cursor_with_any_character_replaced_by_any_other_is_refused() -> None:
    text = write_cursor(CURSOR, KEY)
    for position, original in enumerate(text):
        for character in BASE64URL + "=+/ \nü":
            if character != original:
                with pytest.raises(InvalidCursor):
                    read_cursor(text[:position] + character + text[position + 1 :], KEY)


def test_a_cursor_that_was_cut_or_extended_is_refused() -> None:
    text = write_cursor(CURSOR, KEY)
    for changed in (*(text[:end] for end in range(len(text))), text + "A", text + "=", " " + text, text + text):
        with pytest.raises(InvalidCursor):
            read_cursor(changed, KEY)


def test_a_cursor_signed_with_another_key_is_refused_as_changed() -> None:
    with pytest.raises(InvalidCursor, match="changed or is not from this API"):
        read_cursor(write_cursor(CURSOR, bytes(32)), KEY)


@given(st.text(max_size=200))
def test_arbitrary_text_is_refused_and_nothing_worse(text: str) -> None:
    with pytest.raises(InvalidCursor):
        read_cursor(text, KEY)


def test_a_signed_payload_of_another_shape_is_refused_as_another_version() -> None:
    payload = msgspec.json.encode(["user-1", None, 1])
    text = urlsafe_b64encode(payload + hmac.digest(KEY, payload, hashlib.sha256)).rstrip(b"=").decode()
    with pytest.raises(InvalidCursor, match="another version"):
        read_cursor(text, KEY)


def test_a_cursor_of_another_version_is_refused_by_number() -> None:
    newer = Cursor("user-1", "active", after=1, bound=2, total=2, issued_at=CURSOR.issued_at, version=2)
    with pytest.raises(InvalidCursor, match="has version 2, this API writes 1"):
        check_cursor(newer, "user-1", "active", NOW)


def test_a_cursor_of_the_same_listing_is_accepted_until_it_is_seven_days_old() -> None:
    check_cursor(CURSOR, "user-1", "active", NOW)
    check_cursor(CURSOR, "user-1", "active", NOW + timedelta(days=7))
    with pytest.raises(InvalidCursor, match="older than 7 days: start again without a cursor"):
        check_cursor(CURSOR, "user-1", "active", NOW + timedelta(days=7, seconds=1))


def test_a_cursor_of_another_user_is_refused() -> None:
    with pytest.raises(InvalidCursor, match="another user"):
        check_cursor(CURSOR, "user-2", "active", NOW)


@pytest.mark.parametrize("state", [None, "expired", "Active"])
def test_a_cursor_of_another_state_filter_is_refused(state: str | None) -> None:
    with pytest.raises(InvalidCursor, match="another state filter"):
        check_cursor(CURSOR, "user-1", state, NOW)
