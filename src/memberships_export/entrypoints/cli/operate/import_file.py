"""`import`: memberships from a CSV file for the bundled memberships API."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from memberships_export.entrypoints.cli.environment import settings_here
from memberships_export.entrypoints.cli.exits import CommandError, ExitCode, WrongUsage
from memberships_export.entrypoints.cli.output import complain, masked, say, say_json, visible

if TYPE_CHECKING:
    from memberships_api.csv_files.dialect import Choices
    from memberships_api.csv_files.problems import ImportRefused
    from memberships_api.importing import ImportOrder, ImportReport
    from memberships_export.settings import Settings

_MOST_PROBLEMS = 20
_NOTHING = "Nothing was imported."
_INTERRUPTED = "Interrupted: nothing was imported, and the memberships are as they were."


def import_file(  # noqa: PLR0913, PLR0917  (each is an option)
    file: Annotated[Path, typer.Argument(help="CSV file; its first line names the columns.")],
    column: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=COLUMN", help="Take a field from this column. Repeatable.")
    ] = None,
    constant: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="The same value in every row. Repeatable.")
    ] = None,
    update: Annotated[
        bool,
        typer.Option(
            "--update", help="Change memberships that are there, found by id or else by uuid; add the others."
        ),
    ] = False,
    delimiter: Annotated[
        str | None, typer.Option(metavar="CHARACTER", help="What separates columns: , ; | or tab.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(metavar="NAME", help="Such as utf-8, cp1252 or utf-16.")] = None,
    decimal: Annotated[str | None, typer.Option(metavar="MARK", help="What stands before decimals: . or ,")] = None,
    date_format: Annotated[
        str | None, typer.Option(metavar="FORMAT", help="Such as YYYY-MM-DD, DD.MM.YYYY or MM/DD/YYYY.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Import memberships for the bundled memberships API: all rows of the file, or none.

    A field that is neither in --column nor in --set is taken from the column of its own name. How the file is written
    is read from its beginning, and said, unless the options tell; what can be read in two ways is asked for.
    """
    # Imported here: --help must not wait for it.
    from memberships_api.csv_files.dialect import Choices  # noqa: PLC0415
    from memberships_api.csv_files.mapping import ColumnMapping  # noqa: PLC0415
    from memberships_api.csv_files.problems import ImportRefused  # noqa: PLC0415
    from memberships_api.importing import ImportOrder  # noqa: PLC0415
    from memberships_api.repository import MembershipsUnavailable  # noqa: PLC0415

    mapping = ColumnMapping(_pairs("--column", column), _pairs("--set", constant))
    choices = _checked(Choices(encoding, delimiter, decimal, date_format))
    order = ImportOrder(file, mapping, choices, update)
    try:
        report = _imported(order, settings_here(), as_json=as_json)
    except ImportRefused as error:
        _tell_problems(error, as_json=as_json)
        raise typer.Exit(ExitCode.FAILED) from error
    except MembershipsUnavailable as error:
        raise CommandError(f"Nothing was imported. {error}") from error
    except KeyboardInterrupt as error:
        raise CommandError(_INTERRUPTED) from error
    _tell(report, update=update, as_json=as_json)


def _imported(order: "ImportOrder", settings: "Settings", *, as_json: bool) -> "ImportReport":
    from rich.console import Console  # noqa: PLC0415

    from memberships_api.importing import import_csv  # noqa: PLC0415
    from memberships_export.entrypoints.cli.operate.import_progress import shown  # noqa: PLC0415
    from memberships_export.entrypoints.cli.serve.memberships_file import open_memberships  # noqa: PLC0415

    repository = open_memberships(settings)
    try:
        with shown(order.path.name, Console(stderr=True), as_json=as_json) as watcher:
            return import_csv(order, repository, watcher)
    finally:
        repository.close()


def _checked(choices: "Choices") -> "Choices":
    from memberships_api.csv_files.sniffing import check_choices  # noqa: PLC0415

    try:
        check_choices(choices)
    except ValueError as error:
        raise WrongUsage(str(error)) from error
    return choices


def _pairs(option: str, texts: Sequence[str] | None) -> Mapping[str, str]:
    pairs = {}
    for text in texts or ():
        field, equals, value = text.partition("=")
        if not equals or not field or field in pairs:
            why = "names a field for the second time" if field in pairs else "is not like field=value"
            raise WrongUsage(f"{option} {text!r} {why}. Example: --column name=membership_type --set state=active")
        pairs[field] = value
    return pairs


def _tell(report: "ImportReport", *, update: bool, as_json: bool) -> None:
    if as_json:
        return say_json(
            {
                "imported": report.added + report.changed,
                "added": report.added,
                "changed": report.changed,
                "unchanged": report.unchanged,
                "readAs": report.dialect.described(),
                "notices": report.notices,
                "problems": [],
                "more": 0,
            }
        )
    for notice in report.notices:
        complain(visible(notice))
    if update:
        return say(f"{report.added:,} added, {report.changed:,} changed, {report.unchanged:,} unchanged.")
    return say(f"{report.added} memberships imported.")


def _tell_problems(refused: "ImportRefused", *, as_json: bool) -> None:
    if as_json:
        told = [
            {"line": problem.line, "column": problem.column, "reason": masked(problem.reason)}
            for problem in refused.problems
        ]
        error = {"code": "import_refused", "message": _NOTHING, "exitCode": int(ExitCode.FAILED)}
        say_json({"error": error, "imported": 0, "problems": told, "more": refused.more})
    complain(_NOTHING)
    for problem in refused.problems[:_MOST_PROBLEMS]:
        complain(visible(masked(str(problem))))
    left = len(refused.problems) - _MOST_PROBLEMS + refused.more
    return complain(f"... and {left:,} more") if left > 0 else None
