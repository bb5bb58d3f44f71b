"""`audit`: who did what to whose data, when and from where."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from memberships_export.domain.audit import Action, Audited, AuditPage, AuditQuery, is_entry_id
from memberships_export.domain.export.finding import Found, Wanted
from memberships_export.entrypoints.cli.environment import settings_with_data, wiring
from memberships_export.entrypoints.cli.exits import WrongUsage
from memberships_export.entrypoints.cli.ids import FULL, SHORTEST, the_one
from memberships_export.entrypoints.cli.output import complain, masked, say, say_json, table, visible

if TYPE_CHECKING:
    from memberships_export.service.operator.exports import OperateExports

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_MOST = 1000
_NAMED = 10
_COLUMNS = ("AT (UTC)", "ACTOR", "WHO", "ACTION", "EXPORT ID", "OUTCOME", "FROM", "REQUEST ID")


def audit(  # noqa: PLR0913, PLR0917  (Typer fills them by name)
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="From then on: 30m, 24h, 7d, or 2026-03-01T12:00 (UTC).")
    ] = None,
    export_id: Annotated[
        str | None, typer.Option("--export", metavar="ID", help="Of this export: its id, or its beginning.")
    ] = None,
    action: Annotated[Action | None, typer.Option(help="Of this kind.", show_choices=True)] = None,
    user_id: Annotated[
        str | None, typer.Option("--user", metavar="ID", help="By this member, or about their data.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="How many to show at most.")] = 100,
    before: Annotated[str | None, typer.Option(metavar="ID", help="Go on where a longer answer ended.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    backend: Annotated[
        str | None,
        typer.Option("--backend", help="embedded or aws: instead of MEMBERSHIPS_EXPORT_BACKEND.", metavar="NAME"),
    ] = None,
) -> None:
    """Show who did what to whose data, the newest first. That you looked is noted too."""
    if before and not is_entry_id(before):
        raise WrongUsage(f"--before {before!r} is not the id of an entry: take the one that the answer before names.")
    query = AuditQuery(
        since=_moment(since) if since else None, export_id=export_id, action=action, limit=limit, before=before
    )
    page = _read(query, user_id, backend)
    if as_json:
        entries = [_as_json(entry) for entry in page.entries]
        return say_json({"entries": entries, "unreadable": list(page.unreadable), "before": page.before})
    if page.unreadable:
        complain(
            f"{len(page.unreadable)} entries cannot be read, and are not shown. They are damaged, or were written by a "
            f"newer version of the service: {', '.join(map(visible, page.unreadable[:_NAMED]))}"
        )
    if not page.entries:
        return complain("There are no such entries.")
    say(table(_COLUMNS, [_row(entry) for entry in page.entries]))
    if page.before:
        complain(f"There are more: the same command with --before {page.before}")
    return None


def _read(query: AuditQuery, user_id: str | None, backend: str | None) -> AuditPage:
    settings = settings_with_data(backend)
    from memberships_export.bootstrap.backend import audit_desk, exports_desk, operator_origin  # noqa: PLC0415  (slow)

    with wiring():
        read, exports = audit_desk(settings), exports_desk(settings)
    if query.export_id:
        query = replace(query, export_id=_whole_id(query.export_id, exports))
    return read(query, operator_origin(settings), user_id)


def _whole_id(typed: str, exports: "OperateExports") -> str:
    """Complete the id of an export. Entries outlive records: of an export that is gone the whole id is needed."""
    text = typed.strip().lower()
    found = exports.find(Wanted(prefix=text), _NAMED) if SHORTEST <= len(text) < FULL else Found(())
    if ids := [*(export.export_id for export in found.exports), *found.unreadable]:
        return the_one(text, ids, "export", "To find exports: memberships-export exports list")
    if len(text) < FULL:
        shown = masked(visible(text))
        complain(f"No export that is there has an id that begins with {shown}. Of one that is gone, type all of it.")
    return text


def _moment(text: str) -> datetime:
    """Read a time: so long ago, or a date in the form of ISO 8601."""
    try:
        if text[-1] in _UNITS and text[:-1].isdecimal() and text.isascii():
            return datetime.now(UTC) - timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise WrongUsage(f"--since {text!r} is no time: write 30m, 24h, 7d, or 2026-03-01T12:00 (UTC).") from None


def _row(entry: Audited) -> tuple[str, ...]:
    outcome = f"{entry.outcome} {entry.detail}".strip()
    place = f"{entry.channel} {entry.ip}".strip()
    cells = (entry.who[:12] if entry.actor == "member" else entry.who, entry.action, entry.export_id, outcome, place)
    return (f"{entry.at:%Y-%m-%d %H:%M:%S}", entry.actor, *(cell or "-" for cell in (*cells, entry.request_id)))


def _as_json(entry: Audited) -> dict[str, str]:
    return {
        "id": entry.id,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "who": entry.who,
        "about": entry.about,
        "action": entry.action,
        "exportId": entry.export_id,
        "outcome": entry.outcome,
        "detail": entry.detail,
        "channel": entry.channel,
        "ip": entry.ip,
        "requestId": entry.request_id,
    }
