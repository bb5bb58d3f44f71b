"""`exports`: all exports of the service, on this machine or on AWS, for its operators."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from memberships_export.domain.audit import Origin
from memberships_export.domain.errors import IllegalTransition, UnknownExport
from memberships_export.domain.export.finding import Wanted
from memberships_export.domain.export.record import Export
from memberships_export.entrypoints.cli.environment import settings_with_data, wiring
from memberships_export.entrypoints.cli.exits import CommandError, WrongUsage
from memberships_export.entrypoints.cli.ids import SHORTEST, the_one
from memberships_export.entrypoints.cli.operate import exports_view as view
from memberships_export.entrypoints.cli.operate import exports_wanted as typed
from memberships_export.entrypoints.cli.operate.dlq import AsJson, Backend
from memberships_export.entrypoints.cli.output import complain, masked, say, say_json

if TYPE_CHECKING:
    from memberships_export.service.operator.exports import OperateExports

commands = typer.Typer(
    no_args_is_help=True, help="Find exports of all users, look at one, stop it, mail it again, try it now."
)

ExportId = Annotated[str, typer.Argument(metavar="ID", help="The export's id, or its beginning.")]
User = Annotated[str | None, typer.Option("--user", metavar="ID", help="Of this user.")]
Email = Annotated[
    str | None, typer.Option("--email", metavar="ADDRESS", help="Mailed to this address now, or to be mailed before.")
]
Status = Annotated[
    str | None, typer.Option("--status", help="queued, running, waiting, completed, failed or cancelled.")
]
Code = Annotated[str | None, typer.Option("--code", help="That wait or failed for this reason.")]
Since = Annotated[str | None, typer.Option("--since", metavar="TIME", help="Asked for since: 24h, 7d or 2026-03-01.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many to show at most.")]
After = Annotated[str | None, typer.Option("--after", metavar="PLACE", help="Go on behind the end of an earlier list.")]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show mail addresses; the audit log says who saw which.")]
_WHERE = "To find exports: memberships-export exports list"


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a command works with. `origin` is asked for only by those that are noted."""

    exports: "OperateExports"
    origin: Callable[[], Origin]

    @property
    def now(self) -> datetime:
        """The time now."""
        return self.exports.clock()

    def full_id(self, export_id: str) -> str:
        """Complete an id. Raises CommandError, WrongUsage."""
        text = export_id.strip().lower()
        if len(text) < SHORTEST:
            return the_one(export_id, (), "export", _WHERE)
        found = self.exports.find(Wanted(prefix=text), _MOST_LIKE)
        ids = [*(export.export_id for export in found.exports), *found.unreadable]
        return the_one(export_id, ids, "export", _WHERE)

    def shown(self, value: Any, exports: list[Export], *, reveal: bool) -> Any:  # noqa: ANN401  (text or JSON)
        """Mask what is going to be printed about these exports, or note that it is not masked."""
        if not reveal:
            return masked(value)
        origin = self.origin()
        for export in exports:
            self.exports.reveal(origin, export.export_id, export.user_id)
        return value


_MOST_LIKE = 50  # exports whose ids begin alike


@commands.command("list")
def list_exports(  # noqa: PLR0913, PLR0917  (each is an option)
    user: User = None,
    email: Email = None,
    status: Status = None,
    code: Code = None,
    since: Since = None,
    limit: Limit = 20,
    after: After = None,
    reveal: Reveal = False,
    as_json: AsJson = False,
    backend: Backend = None,
) -> None:
    """List exports, newest first, with counts by status and cause. Several options: those that fit all of them."""
    with _opened(backend) as desk:
        wanted = Wanted(
            user_id=user,
            address=typed.address_of(email),
            status=typed.status_of(status),
            code=typed.code_of(code),
            since=typed.since_of(since, desk.now),
        )
        found = desk.exports.find(wanted, limit, typed.place_of(after))
        counts, exports = desk.exports.counts(wanted), list(found.exports)
        if as_json:
            return say_json(desk.shown(view.list_as_json(found, counts, desk.now), exports, reveal=reveal))
        if exports:
            say(view.as_table(desk.shown(view.rows_of(exports, desk.now), exports, reveal=reveal)))
        say(view.counts_in_words(counts, desk.now))
        if found.unreadable:
            complain(view.unreadable_in_words(found.unreadable))
        if found.more:
            complain(f"There are more: add --after {typed.place_text(found.more)}")
    return None


@commands.command()
def show(export_id: ExportId, reveal: Reveal = False, as_json: AsJson = False, backend: Backend = None) -> None:
    """Show an export and what happened to it."""
    with _opened(backend) as desk:
        export = desk.exports.get(desk.full_id(export_id))
        if as_json:
            return say_json(desk.shown(view.record_as_json(export), [export], reveal=reveal))
        return say(desk.shown(view.page_of(export, desk.now), [export], reveal=reveal))


@commands.command()
def cancel(export_id: ExportId, as_json: AsJson = False, backend: Backend = None) -> None:
    """Stop an export that is not finished. Its files are deleted, links to it stop working."""
    with _opened(backend) as desk:
        _tell(desk, [desk.exports.cancel(desk.full_id(export_id), desk.origin())], as_json=as_json)


@commands.command()
def resend(export_id: ExportId, as_json: AsJson = False, backend: Backend = None) -> None:
    """Mail the stored file of an export again, to the address on its record. Links mailed before stop working."""
    with _opened(backend) as desk:
        _tell(desk, [desk.exports.resend(desk.full_id(export_id), desk.origin())], as_json=as_json)


@commands.command()
def retry(
    export_id: Annotated[str, typer.Argument(metavar="[ID]", help="The export's id, or its beginning.")] = "",
    code: Code = None,
    everything: Annotated[bool, typer.Option("--all", help="All that wait for --code.")] = False,
    as_json: AsJson = False,
    backend: Backend = None,
) -> None:
    """Try waiting exports now, not when their next try is due: what they wait for was repaired."""
    if bool(export_id) == everything or everything != (code is not None):
        raise WrongUsage("Say which: `exports retry ID` for one, or `exports retry --code CODE --all`.")
    with _opened(backend) as desk:
        if everything:
            exports = list(desk.exports.retry_all(str(typed.code_of(code)), desk.origin()))
        else:
            exports = [desk.exports.retry(desk.full_id(export_id), desk.origin())]
        _tell(desk, exports, as_json=as_json)


def _tell(desk: _Desk, exports: list[Export], *, as_json: bool) -> None:
    if as_json:
        return say_json(masked([view.summary(export, desk.now) for export in exports]))
    for export in exports:
        say(f"{export.export_id}  {export.status}")
    return None if exports else complain("No export waits for that.")


@contextmanager
def _opened(backend: str | None) -> Iterator[_Desk]:
    """Open what the commands need."""
    settings = settings_with_data(backend)
    from memberships_export.bootstrap.backend import exports_desk, operator_origin  # noqa: PLC0415  (takes long)

    try:
        with wiring():
            exports = exports_desk(settings)
        yield _Desk(exports, lambda: operator_origin(settings))
    except (IllegalTransition, UnknownExport) as error:
        raise CommandError(error.reason) from error
