"""Examples to start from: each takes only what the test is about."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from secrets import token_bytes
from typing import Any
from uuid import UUID, uuid4

import msgspec

from memberships_export.domain.audit import entry_id
from memberships_export.domain.export.record import Export

REQUESTED_AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def an_export(**changes: Any) -> Export:  # noqa: ANN401  (fields of Export)
    """A new export as the API records it; a new id each time."""
    fields: dict[str, Any] = {
        "export_id": str(uuid4()),
        "user_id": "user-1",
        "email": "member@example.org",
        "requested_at": REQUESTED_AT,
        "wake_at": REQUESTED_AT + timedelta(seconds=30),
    }
    return Export(**fields | changes)


def a_membership(row_id: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  (fields of the row)
    """One row as it is on the wire, of user-1 unless told."""
    row: dict[str, Any] = {
        "id": row_id,
        "uuid": str(UUID(int=row_id)),
        "name": "Gold Plan",
        "userId": "user-1",
        "recurringPrice": "150.00",
        "validFrom": "2026-01-01",
        "validUntil": None,
        "state": "active",
        "assignedBy": None,
        "paymentMethod": "credit card",
        "billingInterval": "monthly",
        "billingPeriods": 12,
    }
    return row | changes


def a_page(rows: Sequence[Mapping[str, Any]], next_cursor: str | None = None, total: int | None = None) -> bytes:
    """A page as the memberships API sends it."""
    return msgspec.json.encode({"items": rows, "nextCursor": next_cursor, "total": total})


def new_entry_id(at: datetime) -> str:
    """Make the id of an entry of the audit log, as the service does."""
    return entry_id(at, token_bytes(8))
