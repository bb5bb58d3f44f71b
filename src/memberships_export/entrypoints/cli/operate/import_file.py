"""`import`: memberships from a CSV file for the bundled memberships API."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from memberships_export.entrypoints.cli.environment import settings_here
from memberships_export.entrypoints.cli.exits import CommandError, ExitCode, WrongUsage
from memberships_export.entrypoints.cli.output import complain, say, say_json, visible

if TYPE_CHECKING:
    from memberships_api.csv_reading import Problem

_MOST_PROBLEMS = 20


def import_file(
    file: Annotated[Path, typer.Argument(help="CSV file in UTF-8; its first line names the columns.")],
    column: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=COLUMN", help="Take a field from this column. Repeatable.")
    ] = None,
    constant: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="The same value in every row. Repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Import memberships for the bundled memberships API: all rows of the file, or none.

    A field that is neither in --column nor in --set is taken from the column of its own name.
    """
    columns, constants = _pairs("--column", column), _pairs("--set", constant)
    settings = settings_here()
    # Imported here: --help must not wait for it.
    from memberships_api.csv_reading import ColumnMapping, ImportRefused  # noqa: PLC0415
    from memberships_api.importing import import_csv  # noqa: PLC0415
    from memberships_api.repository import MembershipsUnavailable  # noqa: PLC0415
    from memberships_export.entrypoints.cli.serve.memberships_file import open_memberships  # noqa: PLC0415

    repository = open_memberships(settings)
    try:
        rows = import_csv(file, ColumnMapping(columns, constants), repository).rows
    except ImportRefused as error:
        _tell_problems(error.problems, as_json=as_json)
        raise typer.Exit(ExitCode.FAILED) from error
    except MembershipsUnavailable as error:
        raise CommandError(f"Nothing was imported. {error}") from error
    finally:
        repository.close()
    if as_json:
        return say_json({"imported": rows, "problems": []})
    return say(f"{rows} memberships imported.")


def _pairs(option: str, texts: Sequence[str] | None) -> Mapping[str, str]:
    pairs = {}
    for text in texts or ():
        field, equals, value = text.partition("=")
        if not equals or not field or field in pairs:
            why = "names a field for the second time" if field in pairs else "is not like field=value"
            raise WrongUsage(f"{option} {text!r} {why}. Example: --column name=membership_type --set state=active")
        pairs[field] = value
    return pairs


def _tell_problems(problems: "Sequence[Problem]", *, as_json: bool) -> None:
    if as_json:
        told = [{"line": problem.line, "reason": problem.reason} for problem in problems]
        return say_json({"imported": 0, "problems": told})
    complain("Nothing was imported.")
    for problem in problems[:_MOST_PROBLEMS]:
        complain(visible(problem))
    left = len(problems) - _MOST_PROBLEMS
    return complain(f"... and {left} more") if left > 0 else None
