"""`profiles`: the profiles of memberships APIs that come with the service, to use or to start from."""

from typing import Annotated

import typer

from memberships_export.bootstrap.shipped import schema_text, shipped_descriptions, shipped_text
from memberships_export.domain.source.profile_file.problems import ProfileInvalid
from memberships_export.entrypoints.cli.exits import CommandError
from memberships_export.entrypoints.cli.output import say, say_json, table

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
commands = typer.Typer(help="The profiles of memberships APIs that come with the service, to use or to start from.")


@commands.callback(invoke_without_command=True)
def list_profiles(context: typer.Context, as_json: AsJson = False) -> None:
    """List the profiles of memberships APIs that come with the service."""
    if context.invoked_subcommand:
        return None
    found = shipped_descriptions()
    if as_json:
        return say_json([{"name": name, "description": text} for name, text in found.items()])
    return say(table(("NAME", "DESCRIPTION"), list(found.items())))


@commands.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `profiles` lists it.")], as_json: AsJson = False
) -> None:
    """Print a profile, to start a file of your own from."""
    try:
        text = shipped_text(name)
    except ProfileInvalid as error:
        raise CommandError(f"{name}: {error}.") from error
    return say_json({"name": name, "text": text}) if as_json else say(text.rstrip("\n"))


@commands.command()
def schema() -> None:
    """Print the JSON Schema of profiles, with which editors complete and check them."""
    say(schema_text().rstrip("\n"))
