"""`erase`: all that the service has of one user, while it runs; and once more after a restore."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from memberships_export.domain.audit import Origin
from memberships_export.domain.errors import InvalidUserId
from memberships_export.domain.export.tombstone import Tombstone
from memberships_export.entrypoints.cli.environment import settings_with_data, wiring
from memberships_export.entrypoints.cli.exits import WrongUsage
from memberships_export.entrypoints.cli.operate.dlq import AsJson, Backend
from memberships_export.entrypoints.cli.output import complain, say, say_json, table, visible

if TYPE_CHECKING:
    from memberships_export.service.operator.erase import EraseUser, Receipt

_USAGE = "Say what: `erase --user ID` for a person, `erase --again` after a restore, or `erase --list`."


def erase(  # noqa: PLR0913, PLR0917  (Typer fills them by name)
    user: Annotated[str, typer.Option("--user", metavar="ID", help="Whom to erase: the user id, exactly.")] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Erase again what was erased before, after a restore.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="List what was erased.")] = False,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="With --again: a list that --list --json wrote.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would happen.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
    backend: Backend = None,
) -> None:
    """Erase all that the service has of a user, and tell what it cannot reach. The service may run."""
    if [bool(user), again, listed].count(True) != 1 or (source and not again) or (dry_run and not user):
        raise WrongUsage(_USAGE)
    taken_over = read_list(source) if source else None
    desk = _desk(backend)
    if listed:
        return _list(list(desk.tombstones()), as_json=as_json)
    if again:
        return _show(desk.again(taken_over, _origin(backend)), as_json=as_json)
    return _show(_erase_user(desk, user, backend, dry_run=dry_run, sure=yes), as_json=as_json)


def _erase_user(desk: "EraseUser", user: str, backend: str | None, *, dry_run: bool, sure: bool) -> "Receipt":
    from memberships_export.service.user.callers import checked_user_id  # noqa: PLC0415  (takes long: not for --help)

    try:
        user_id = checked_user_id(user)
    except InvalidUserId as error:
        raise WrongUsage(error.reason) from error
    if dry_run:
        return desk(user_id, dry_run=True)
    if not sure:
        count = len(desk(user_id, dry_run=True).exports)
        typer.confirm(f"Erase this user with {_counted(count, 'export')} for good?", abort=True, err=True)
    return desk(user_id, _origin(backend))


def _origin(backend: str | None) -> Origin:
    from memberships_export.bootstrap.backend import operator_origin  # noqa: PLC0415  (takes long: not for --help)

    return operator_origin(settings_with_data(backend))


def _desk(backend: str | None) -> "EraseUser":
    settings = settings_with_data(backend)
    from memberships_export.bootstrap.backend import erasing_desk  # noqa: PLC0415  (takes long: not for --help)

    with wiring():
        return erasing_desk(settings)


def read_list(path: Path) -> Sequence[Tombstone]:
    """Read a list that `erase --list --json` wrote. Raises WrongUsage."""
    try:
        entries = json.loads(path.read_bytes())
        if not isinstance(entries, list):
            raise WrongUsage(f"{path} is no list that `erase --list --json` wrote.")
        return [_tombstone(entry) for entry in entries]
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # msgspec's are ValueErrors
        raise WrongUsage(f"{path} is no list that `erase --list --json` wrote.") from error


def _tombstone(entry: dict[str, Any]) -> Tombstone:
    return msgspec.convert({_FIELDS[name]: value for name, value in entry.items()}, Tombstone)


_FIELDS = {
    "exportId": "export_id",
    "owner": "owner",
    "requestedAt": "requested_at",
    "erasedAt": "erased_at",
    "outcome": "outcome",
    "rows": "rows",
    "clearAt": "clear_at",
}


def _entry(tombstone: Tombstone) -> dict[str, Any]:
    plain = msgspec.to_builtins(tombstone)
    return {name: plain[field] for name, field in _FIELDS.items()}


def _list(tombstones: Sequence[Tombstone], *, as_json: bool) -> None:
    if as_json:
        return say_json([_entry(one) for one in tombstones])
    if not tombstones:
        return complain("Nothing was erased yet.")
    return say(_table(tombstones))


def _table(tombstones: Iterable[Tombstone]) -> str:
    rows = [(one.export_id, one.erased_at.isoformat(timespec="seconds"), one.outcome, one.rows) for one in tombstones]
    return table(("EXPORT ID", "ERASED AT", "STATUS BEFORE", "ROWS"), rows)


def _show(receipt: "Receipt", *, as_json: bool) -> None:
    if as_json:
        return say_json(_receipt(receipt))
    return say("\n".join(_lines(receipt)))


def _receipt(receipt: "Receipt") -> dict[str, Any]:
    return {
        "beganAt": receipt.began_at.isoformat(),
        "owner": receipt.owner,
        "dryRun": receipt.dry_run,
        "exports": [_entry(one) for one in receipt.exports],
        "rows": receipt.rows,
        "mailsInOutbox": receipt.cleared.mails,
        "messages": receipt.cleared.messages,
        "deadLetters": receipt.cleared.letters,
        "remains": [msgspec.to_builtins(one) for one in receipt.remains],
    }


def _lines(receipt: "Receipt") -> Iterable[str]:
    if receipt.exports:
        yield _table(receipt.exports)
    counts = [_counted(len(receipt.exports), "export"), _counted(receipt.rows, "row")]
    if receipt.dry_run:
        yield f"{', '.join(counts)} (dry run: nothing was erased)"
        return
    cleared = receipt.cleared
    found = ((cleared.mails, "mail in the outbox"), (cleared.messages, "message"), (cleared.letters, "dead letter"))
    counts += [_counted(count, name) for count, name in found if count is not None]
    whose = f" Keyed hash of the user: {receipt.owner}." if receipt.owner else ""
    yield visible(f"Erased at {receipt.began_at.isoformat(timespec='seconds')}: {', '.join(counts)}.{whose}")
    yield "What this cannot reach, and until when it is there:"
    yield from (f"- {one.what} Until: {one.until}." for one in receipt.remains)


def _counted(count: int, name: str) -> str:
    if count == 1:
        return f"1 {name}"
    return f"{count} {name.replace('mail in', 'mails in')}" if " in " in name else f"{count} {name}s"
