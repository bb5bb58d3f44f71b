"""`backup` and `restore`: the data folder of one machine, copied while the service runs, and put back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from memberships_export.entrypoints.cli.environment import settings_here, settings_with_data
from memberships_export.entrypoints.cli.exits import WrongUsage
from memberships_export.entrypoints.cli.operate.erase import read_list
from memberships_export.entrypoints.cli.output import complain, say, say_json, visible
from memberships_export.settings import Settings, variable

if TYPE_CHECKING:
    from memberships_export.bootstrap.data_folder import Manifest, Restored

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Told = Callable[[int, int], None]
_CLOSED = "It holds addresses, memberships and the secrets of the service: keep it as closed as the data folder."


def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, best on another disk.")],
    as_json: AsJson = False,
) -> None:
    """Copy the data folder to DIR while the service runs: databases, files, mails of the outbox, secrets."""
    settings = settings_with_data()
    _check_one_machine(settings)
    from memberships_export.bootstrap.data_folder import make_backup  # noqa: PLC0415  (takes long: not for --help)

    with _shown("Copying", as_json=as_json) as told:
        made = make_backup(settings, folder, told)
    if as_json:
        return say_json({"folder": str(folder.absolute()), **_told(made)})
    complain(_CLOSED)
    return say(visible(f"{folder.absolute()}: {_in_words(made)}."))


def restore(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `backup` has made.")],
    target: Annotated[
        Path | None, typer.Option("--to", metavar="DATA_DIR", help="Instead of MEMBERSHIPS_EXPORT_DATA_DIR.")
    ] = None,
    erased: Annotated[
        Path | None, typer.Option("--erased", metavar="FILE", help="Erase these again: of `erase --list --json`.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup in place of a data folder that is empty or not there. The service must not run."""
    settings = settings_here()
    _check_one_machine(settings)
    data = target or settings.data_dir
    tombstones = read_list(erased) if erased else ()
    from memberships_export.bootstrap import data_folder  # noqa: PLC0415  (as above)

    found = data_folder.look_at_backup(folder, data)
    if not yes:
        asked = f"Restore {_in_words(found)}, made at {found.made_at:%Y-%m-%d %H:%M} UTC, to {data.absolute()}?"
        typer.confirm(visible(asked), abort=True, err=True)
    with _shown("Restoring", as_json=as_json) as told:
        done = data_folder.restore(settings, folder, data, told)
    again = data_folder.erase_again(settings, data, tombstones) if tombstones else 0
    if as_json:
        return say_json(_restored(data, done) | {"erasedAgain": again})
    say(visible(f"{data.absolute()}: {_in_words(done.manifest)}."))
    return _warn(settings, done, erased, again)


def _check_one_machine(settings: Settings) -> None:
    if settings.backend == "aws":
        raise WrongUsage(
            f"{variable('backend')} is aws: there the records are in DynamoDB and the files in S3, with backups of "
            "their own. See docs/backup.md."
        )


def _told(made: "Manifest") -> dict[str, object]:
    return {
        "madeAt": made.made_at.isoformat(),
        "program": made.program,
        "schema": made.schema,
        "exports": made.exports,
        "files": len(made.files),
        "bytes": made.bytes,
    }


def _restored(data: Path, done: "Restored") -> dict[str, object]:
    more = {"maybeMailed": done.maybe_mailed, "letters": done.letters}
    return {"dataFolder": str(data.absolute()), **_told(done.manifest), **more}


def _in_words(manifest: "Manifest") -> str:
    return f"{manifest.exports:,} exports, {len(manifest.files):,} files, {manifest.bytes:,} bytes"


def _warn(settings: Settings, done: "Restored", erased: Path | None, again: int) -> None:
    """Say what this program cannot know: what happened after the backup was made."""
    if done.maybe_mailed:
        minutes = settings.policy.evidence_wait.total_seconds() / 60
        complain(
            f"{done.maybe_mailed:,} unfinished exports may have been mailed since the backup. {minutes:g} minutes from "
            "now each is mailed once more, and says that it may be the second; with "
            f"{variable('after_unknown_send')}=hold none is."
        )
    if done.letters:
        complain(f"{done.letters:,} dead letters were restored: one redriven since the backup may be in them again.")
    if erased:
        return complain(f"{again:,} exports were erased again.")
    return complain(
        "Users who were erased since the backup are in it again. Before the start: "
        "memberships-export erase --again --from FILE, see docs/backup.md."
    )


@contextmanager
def _shown(what: str, *, as_json: bool) -> Iterator[Told]:
    """Draw a bar on a terminal; elsewhere nothing."""
    from rich.console import Console  # noqa: PLC0415  (takes long: not for --help)
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<9}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=as_json or not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, size: progress.update(task, completed=done, total=size)
