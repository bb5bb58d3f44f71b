"""Exports as operators see them: a line, a page, JSON. Addresses are masked by whoever prints it."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from memberships_export.domain.export.finding import Counts, Found, code_of
from memberships_export.domain.export.record import Entry, Export
from memberships_export.domain.export.timeline import moment_of
from memberships_export.domain.export.timeline_words import in_words
from memberships_export.entrypoints.cli.operate.exports_wanted import place_text
from memberships_export.entrypoints.cli.output import table, visible

_COLUMNS = ("EXPORT ID", "STATUS", "STAGE", "AGE", "ROWS", "CODE", "ADDRESS", "FORMAT")
_MOST_NAMED = 10
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def rows_of(exports: Sequence[Export], now: datetime) -> list[Sequence[object]]:
    """Return what a table shows of each export."""
    return [_row(export, now) for export in exports]


def as_table(rows: Sequence[Sequence[object]]) -> str:
    """One export per line."""
    return table(_COLUMNS, rows)


def counts_in_words(counts: Counts, now: datetime) -> str:
    """Say how many there are of each kind, and how old the oldest is that is not finished."""
    kinds = [f"{count.exports:,} {count.status}{f' ({count.code})' if count.code else ''}" for count in counts.counts]
    among = "" if counts.complete else " Only the newest were counted: there are more."
    oldest = counts.oldest_unfinished
    waits = f"The oldest that is not finished is {age(now - oldest)} old." if oldest else "All of them are finished."
    return visible(f"{', '.join(kinds) or 'No exports'}. {waits}{among}")


def unreadable_in_words(ids: Sequence[str]) -> str:
    """Say which exports are left out of a list, and what can be done about them."""
    named = " ".join(ids[:_MOST_NAMED]) + (" …" if len(ids) > _MOST_NAMED else "")
    records = "1 record" if len(ids) == 1 else f"{len(ids)} records"
    return visible(
        f"Cannot be read, and left out of this part of the list: {records} ({named}). Damaged, or written by a newer "
        "version: see docs/runbook.md, unreadable_record."
    )


def summary(export: Export, now: datetime) -> dict[str, Any]:
    """Return what the table shows, and to whom it belongs, as JSON values."""
    return {
        "exportId": export.export_id,
        "userId": export.user_id,
        "status": export.status,
        "stage": export.stage,
        "requestedAt": export.requested_at.isoformat(),
        "requestId": export.request_id,
        "ageSeconds": round((now - export.requested_at).total_seconds()),
        "rows": export.progress.rows,
        "code": code_of(export) or None,
        "email": export.email,
        "format": export.options.format,
    }


def list_as_json(found: Found, counts: Counts, now: datetime) -> dict[str, Any]:
    """Return a list with its counts as JSON values. `next` goes into --after."""
    oldest = counts.oldest_unfinished
    return {
        "items": [summary(export, now) for export in found.exports],
        "unreadable": list(found.unreadable),
        "next": place_text(found.more) if found.more else None,
        "counts": [
            {
                "status": count.status,
                "code": count.code or None,
                "exports": count.exports,
                "oldest": count.oldest.isoformat(),
            }
            for count in counts.counts
        ],
        "countsComplete": counts.complete,
        "oldestUnfinishedSeconds": round((now - oldest).total_seconds()) if oldest else None,
    }


def record_as_json(export: Export) -> dict[str, Any]:
    """Return the whole record as JSON values, and its timeline in words."""
    record = {name: _plain(value) for name, value in asdict(export).items() if name != "timeline"}
    return record | {"timeline": [_entry_as_json(export, entry) for entry in export.timeline]}


def page_of(export: Export, now: datetime) -> str:
    """Say what an operator asks first about an export, and all that happened to it."""
    facts = [f"{name + ':':<12} {visible(value)}" for name, value in _facts(export, now) if value]
    return "\n".join([*facts, "", *timeline_lines(export)])


def timeline_lines(export: Export) -> list[str]:
    """One line for each entry: the moment, and what happened."""
    entries = [(moment_of(export, entry), entry) for entry in export.timeline]
    lines = [f"{at:%Y-%m-%d %H:%M:%S}  {visible(in_words(entry.what, entry.detail))}" for at, entry in entries]
    return [f"{export.requested_at:%Y-%m-%d %H:%M:%S}  requested", *lines]


def age(past: timedelta) -> str:
    """Write how long ago something was, in its two largest units: 3d 4h."""
    left = max(0, int(past.total_seconds()))
    parts: list[str] = []
    for unit, seconds in _UNITS:
        if left >= seconds or (unit == "s" and not parts):
            parts.append(f"{left // seconds}{unit}")
            left %= seconds
    return " ".join(parts[:2])


def _row(export: Export, now: datetime) -> Sequence[object]:
    return (
        export.export_id,
        export.status,
        export.stage if export.unfinished else "-",
        age(now - export.requested_at),
        export.progress.rows,
        code_of(export) or "-",
        export.email,
        export.options.format,
    )


def _facts(export: Export, now: datetime) -> list[tuple[str, object]]:
    cause, file = export.failure or export.trouble, export.file
    waits = export.wake_at if export.unfinished else None
    said = next((send.detail for send in reversed(export.sends) if send.delivery), None)
    return [
        ("export", export.export_id),
        ("user", export.user_id),
        ("mailed to", export.email),
        ("before", ", ".join(export.earlier_emails)),
        ("status", f"{export.status} at {export.stage}" if export.unfinished else export.status),
        ("because of", f"{cause.code}: {cause.reason}" if cause else None),
        ("age", age(now - export.requested_at)),
        ("request", export.request_id),
        ("next look", f"{waits:%Y-%m-%d %H:%M:%S}" if waits else None),
        ("rows", export.progress.rows),
        ("format", export.options.format),
        ("file", f"{file.name}, {file.bytes:,} bytes{', deleted' if file.deleted else ''}" if file else None),
        ("delivery", f"{export.delivery}{f': {said}' if said else ''}" if export.delivery else None),
    ]


def _entry_as_json(export: Export, entry: Entry) -> dict[str, Any]:
    return {
        "at": moment_of(export, entry).isoformat(),
        "what": entry.what,
        "detail": entry.detail,
        "text": in_words(entry.what, entry.detail),
    }


def _plain(value: Any) -> Any:  # noqa: ANN401  (whatever a field of the record holds)
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value if value is None or isinstance(value, (bool, int)) else str(value)
