"""What the OpenAPI document says about the answers of `GET /memberships`."""

import json
from typing import Any, Final

_NULLABLE_TEXT: Final = {"type": ["string", "null"]}
_NULLABLE_DATE: Final = {"type": ["string", "null"], "format": "date"}

_MEMBERSHIP_PROPERTIES: Final[dict[str, Any]] = {
    "id": {"type": "integer", "minimum": 1},
    "uuid": {"type": "string"},
    "name": {"type": "string"},
    "userId": {"type": "string"},
    "recurringPrice": {
        "type": "string",
        "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
        "description": "A decimal, as text so that no digit is lost.",
    },
    "validFrom": {"type": "string", "format": "date"},
    "validUntil": _NULLABLE_DATE,
    "state": {"type": "string"},
    "assignedBy": _NULLABLE_TEXT,
    "paymentMethod": _NULLABLE_TEXT,
    "billingInterval": {"type": "string"},
    "billingPeriods": {"type": "integer", "minimum": 0},
}

_MEMBERSHIP: Final = {
    "type": "object",
    "title": "Membership",
    "properties": _MEMBERSHIP_PROPERTIES,
    "required": list(_MEMBERSHIP_PROPERTIES),
}

# FastAPI drops what is null from the document, so the examples have a value for every field.
_MEMBERSHIP_EXAMPLE: Final[dict[str, Any]] = {
    "id": 17,
    "uuid": "1f0c7f3e-5d0b-5b7e-9a53-0d9d3c1b8a11",
    "name": "Premium",
    "userId": "user-1",
    "recurringPrice": "29.90",
    "validFrom": "2024-01-01",
    "validUntil": "2024-12-31",
    "state": "active",
    "assignedBy": "front desk",
    "paymentMethod": "sepa",
    "billingInterval": "month",
    "billingPeriods": 1,
}

_AROUND: Final[dict[str, Any]] = {
    "nextCursor": {**_NULLABLE_TEXT, "description": "Opaque; null on the last page."},
    "total": {"type": "integer", "minimum": 0, "description": "Rows on all pages together."},
}
_AROUND_EXAMPLE: Final = {"nextCursor": "WyJ1c2VyLTEiLG51bGwsMTcs", "total": 240}

_PAGE: Final = {
    "type": "object",
    "title": "MembershipPage",
    "properties": {"items": {"type": "array", "items": _MEMBERSHIP}, **_AROUND},
    "required": ["items", "nextCursor", "total"],
}

_ARRAYS: Final = {
    "type": "object",
    "title": "MembershipArrays",
    "properties": {
        "columns": {"type": "array", "items": {"type": "string"}, "description": "What stands where in each row."},
        "items": {"type": "array", "items": {"type": "array", "items": {"type": ["string", "integer", "null"]}}},
        **_AROUND,
    },
    "required": ["columns", "items", "nextCursor", "total"],
}

_CONTENT: Final = {
    "application/json": {"schema": _PAGE, "example": {"items": [_MEMBERSHIP_EXAMPLE], **_AROUND_EXAMPLE}},
    "application/vnd.memberships.arrays+json": {
        "schema": _ARRAYS,
        "example": {
            "columns": list(_MEMBERSHIP_EXAMPLE),
            "items": [list(_MEMBERSHIP_EXAMPLE.values())],
            **_AROUND_EXAMPLE,
        },
    },
    "application/x-ndjson": {
        "schema": {"type": "string", "description": "A membership in each line."},
        "example": json.dumps(_MEMBERSHIP_EXAMPLE, separators=(",", ":")) + "\n",
    },
}

_HEADERS: Final = {
    "Cache-Control": {"description": "Always `no-store`.", "schema": {"type": "string"}},
    "Vary": {"description": "Always `Accept`.", "schema": {"type": "string"}},
    "Link": {
        "description": 'Beside lines, the next page (`rel="next"`); absent on the last one.',
        "schema": {"type": "string"},
    },
    "X-Total-Count": {"description": "Beside lines, rows on all pages together.", "schema": {"type": "integer"}},
}

_PROBLEM: Final = {
    "type": "object",  # no title: it stands in the document three times, and generated clients need names that differ
    "description": "RFC 9457 problem details.",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/problem+json": {"schema": _PROBLEM}}}


RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "One page of memberships.",
        "headers": _HEADERS,
        "content": _CONTENT,
    },
    401: _problem("The bearer token is missing, wrong or expired."),
    422: _problem("`limit`, `cursor` or `state` cannot be used; the answer names which and why."),
    503: _problem("The database cannot be reached. `Retry-After` says when to try again."),
}
