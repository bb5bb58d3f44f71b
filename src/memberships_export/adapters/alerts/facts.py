"""What an alert tells a program, as JSON."""

import json

from memberships_export.service.operator.alerts import Alert


def as_json(alert: Alert) -> bytes:
    """Return one line."""
    facts = {
        "service": "memberships-export",
        "kind": alert.kind,
        "text": alert.text,
        "count": alert.count,
        "since": alert.since.isoformat(),
        "exports": alert.exports,
    }
    return json.dumps(facts).encode() + b"\n"
