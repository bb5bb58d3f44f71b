"""`dlq`: the dead letter queue, of the service on this machine or on AWS."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from memberships_export.domain.audit import SYSTEM, Origin
from memberships_export.domain.errors import UnreadableRecord
from memberships_export.domain.messages.letters import MESSAGE_ID, DeadLetter
from memberships_export.domain.messages.wake import export_id_of
from memberships_export.entrypoints.cli.environment import settings_with_data, wiring
from memberships_export.entrypoints.cli.exits import ExitCode, WrongUsage
from memberships_export.entrypoints.cli.ids import the_one
from memberships_export.entrypoints.cli.operate.exports_view import record_as_json
from memberships_export.entrypoints.cli.output import complain, masked, say, say_json, table, visible

if TYPE_CHECKING:
    from memberships_export.service.operator.letter_groups import Group
    from memberships_export.service.operator.redrive import RedriveExports, RedriveOutcome

commands = typer.Typer(
    no_args_is_help=True, help="Look at exports that failed, put them back on their way, clear them."
)

Backend = Annotated[
    str | None,
    typer.Option("--backend", help="embedded or aws: instead of MEMBERSHIPS_EXPORT_BACKEND.", metavar="NAME"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_ID = "Id of the export or of the message, or its beginning."
_WHY = ("stage", "errorCode", "attempts", "failedAt", "reason")


@commands.command("list")
def list_letters(
    group: Annotated[bool, typer.Option("--group", help="Count them by stage and error code.")] = False,
    as_json: AsJson = False,
    backend: Backend = None,
) -> None:
    """List the letters, oldest first."""
    from memberships_export.service.operator.letter_groups import grouped  # noqa: PLC0415  (takes long: not for --help)

    letters = _desk(backend).letters()
    if group and letters:
        return _say_groups(grouped(letters), as_json=as_json)
    if as_json:
        return say_json(masked([_in_short(letter) for letter in letters]))
    if not letters:
        return complain("The dead letter queue is empty.")
    columns = ("EXPORT ID", "STAGE", "ERROR CODE", "ATTEMPTS", "FAILED AT", "REASON")
    rows = [tuple(_in_short(letter).values())[: len(columns)] for letter in letters]
    return say(str(masked(table(columns, rows))))


def _say_groups(groups: "Sequence[Group]", *, as_json: bool) -> None:
    if as_json:
        counted = [
            {"stage": one.stage, "errorCode": one.code, "letters": one.letters, "oldest": one.oldest.isoformat()}
            for one in groups
        ]
        return say_json(masked(counted))
    rows = [(one.stage, one.code, one.letters, f"{one.oldest:%Y-%m-%d %H:%M:%S}") for one in groups]
    return say(str(masked(table(("STAGE", "ERROR CODE", "LETTERS", "OLDEST"), rows))))


@commands.command()
def show(
    letter_id: Annotated[
        str, typer.Argument(metavar="ID", help="Id of the export or of the message, or its beginning.")
    ],
    as_json: AsJson = False,
    backend: Backend = None,
) -> None:
    """Show all that is known about a letter and its export. Mail addresses are masked."""
    desk = _desk(backend)
    found = [_in_full(letter, desk) for letter in _letters_of(desk, letter_id)]
    if as_json:
        return say_json(found)
    return say("\n\n".join("\n".join(_outline(entry)) for entry in found))


@commands.command()
def redrive(
    letter_id: Annotated[str, typer.Argument(metavar="[ID]", help=_ID)] = "",
    everything: Annotated[bool, typer.Option("--all", help="Redrive all letters.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would happen.")] = False,
    backend: Backend = None,
) -> None:
    """Put exports back on their way, from where they stopped. A mail that may have arrived is never sent again."""
    if bool(letter_id) == everything:
        raise WrongUsage("Say which: `dlq redrive ID` for one export, or `dlq redrive --all`.")
    from memberships_export.service.operator.redrive import RedriveOutcome  # noqa: PLC0415  (takes long: not for --help)

    desk, origin = _desk(backend), _origin(backend, dry_run=dry_run)
    counts = dict.fromkeys(RedriveOutcome, 0)
    results = (
        desk.redrive_all(origin, dry_run=dry_run)
        if everything
        else desk.redrive(_letters_of(desk, letter_id), origin, dry_run=dry_run)
    )
    for result in results:
        counts[result.outcome] += 1
        line = f"{result.export_id or result.letter.message_id}  {result.outcome}  {result.text}"
        say(str(masked(visible(line))))
    say(_summary(counts, dry_run=dry_run))
    if counts[RedriveOutcome.REFUSED]:
        raise typer.Exit(ExitCode.FAILED)


@commands.command()
def purge(
    letter_id: Annotated[str, typer.Argument(metavar="[ID]", help=_ID)] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    backend: Backend = None,
) -> None:
    """Remove letters for good: of one ID, or all. The records of the exports stay and keep their reasons."""
    desk = _desk(backend)
    letters = _letters_of(desk, letter_id) if letter_id else desk.letters()
    if letters and not yes:
        typer.confirm(f"Remove {_counted(len(letters))} for good?", abort=True, err=True)
    origin = _origin(backend)
    say(f"{_counted(desk.purge_these(letters, origin) if letter_id else desk.purge(origin))} removed.")


def _desk(backend: str | None) -> "RedriveExports":
    settings = settings_with_data(backend)
    from memberships_export.bootstrap.backend import operator_desk  # noqa: PLC0415  (takes long: not for --help)

    with wiring():
        return operator_desk(settings)


def _origin(backend: str | None, *, dry_run: bool = False) -> Origin:
    if dry_run:  # it changes nothing, so nobody asks who does it
        return SYSTEM
    from memberships_export.bootstrap.backend import operator_origin  # noqa: PLC0415  (takes long: not for --help)

    return operator_origin(settings_with_data(backend))


def _letters_of(desk: "RedriveExports", typed: str) -> Sequence[DeadLetter]:
    letters = desk.letters()
    ids = {one for letter in letters for one in _ids_of(letter)}
    chosen = the_one(typed, ids, "letter", "All letters: memberships-export dlq list")
    return [letter for letter in letters if chosen in _ids_of(letter)]


def _ids_of(letter: DeadLetter) -> tuple[str, ...]:
    export_id = export_id_of(letter)
    first_id = letter.message.attributes.get(MESSAGE_ID)
    return tuple(one for one in (letter.message_id, first_id, export_id) if one)


def _in_short(letter: DeadLetter) -> dict[str, str | None]:
    """Say why a letter is there. One that the queue itself put there, after too many receives, cannot tell."""
    why: dict[str, str | None] = {name: letter.message.attributes.get(name) for name in _WHY}
    why["failedAt"] = why["failedAt"] or letter.sent_at.isoformat()
    why["reason"] = why["reason"] or "Received too often: workers died before they could say why."
    first_id = letter.message.attributes.get(MESSAGE_ID) or letter.message_id
    return {"exportId": export_id_of(letter) or letter.message_id, **why, "messageId": first_id}


def _in_full(letter: DeadLetter, desk: "RedriveExports") -> dict[str, Any]:
    entry = {
        "messageId": letter.message_id,
        "sentAt": letter.sent_at.isoformat(),
        "attributes": dict(letter.message.attributes),
        "body": letter.message.body,
        "export": _export_of(letter, desk),
    }
    return {name: masked(value) for name, value in entry.items()}


def _export_of(letter: DeadLetter, desk: "RedriveExports") -> dict[str, Any] | str | None:
    """Return its export as far as it can be read; what keeps it from being read, in words."""
    export_id = export_id_of(letter)
    try:
        export = desk.store.get(export_id) if export_id else None
    except UnreadableRecord as error:
        return error.reason
    return record_as_json(export) if export else None


def _outline(value: Any, depth: int = 0) -> list[str]:  # noqa: ANN401  (any JSON value)
    """Lay a JSON value out as indented lines."""
    indent = "  " * depth
    entries = value.items() if isinstance(value, dict) else [(str(n + 1), e) for n, e in enumerate(value)]
    lines = []
    for key, entry in entries:
        if isinstance(entry, (dict, list)) and entry:
            lines += [f"{indent}{visible(key)}:", *_outline(entry, depth + 1)]
        else:
            lines.append(f"{indent}{visible(key)}: {visible(entry if entry != [] else None)}")
    return lines


def _summary(counts: "dict[RedriveOutcome, int]", *, dry_run: bool) -> str:
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    return f"{outcomes} (dry run: nothing was changed)" if dry_run else outcomes


def _counted(count: int) -> str:
    return f"{count} letter" if count == 1 else f"{count} letters"
