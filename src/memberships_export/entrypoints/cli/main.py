"""The command line. Every command ends with one of these exit codes.

0  what was asked for is done
1  what was asked for failed, was refused or is not there
2  wrong arguments or settings
3  the service cannot be reached

Answers go to stdout; all that is said about them, errors first of all, goes to stderr. With --json there is exactly
one JSON value on stdout, also when the command fails: {"error": {"code", "message", "exitCode", ...}}.
"""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from memberships_export.domain.errors import StorageUnavailable
from memberships_export.entrypoints.cli.ask import exports
from memberships_export.entrypoints.cli.demo import command as demo
from memberships_export.entrypoints.cli.exits import CommandError, ExitCode
from memberships_export.entrypoints.cli.failures import failure_of, wants_json
from memberships_export.entrypoints.cli.operate import (
    audit,
    backup,
    check_api,
    dlq,
    doctor,
    erase,
    import_file,
    mails,
    pausing,
    profiles,
    tokens,
)
from memberships_export.entrypoints.cli.operate import exports as exports_desk
from memberships_export.entrypoints.cli.output import complain, prepare_streams, say, say_json
from memberships_export.entrypoints.cli.program import version
from memberships_export.entrypoints.cli.serve import serving
from memberships_export.settings import SettingsError

_JSON = f"{__name__}.json"
_EPILOG = (
    "Exit codes: 0 done; 1 what was asked for failed, was refused or is not there; 2 wrong arguments or settings; "
    "3 the service cannot be reached."
)


class _Commands(TyperGroup):
    """Turns what commands raise into a text on stderr, an exit code and, with --json, JSON: in this one place."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  (Typer's contexts have no public name)
        ctx.meta[_JSON] = wants_json(args)
        try:
            return super().parse_args(ctx, args)
        except OSError as error:  # an option that acts by itself, like --install-completion
            if isinstance(error, BrokenPipeError):
                raise
            complain(f"That cannot be done: {error}.")
            raise typer.Exit(ExitCode.FAILED) from error

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401
        try:
            return super().invoke(ctx)
        except typer.TyperException as error:  # wrong arguments: Typer itself tells the person
            if ctx.meta[_JSON]:
                say_json(failure_of(error).to_json())
            raise
        except (CommandError, SettingsError, StorageUnavailable) as error:
            failure = failure_of(error)
            if ctx.meta[_JSON]:
                say_json(failure.to_json())
            complain(failure.message)
            raise typer.Exit(failure.exit_code) from error


def _show_version(asked: bool) -> None:
    if asked:
        say(version())
        raise typer.Exit


def make_app() -> typer.Typer:
    """Put the commands together, in the order in which a newcomer needs them."""
    app = typer.Typer(
        cls=_Commands,
        help="Members export all of their memberships to a file that arrives by email.",
        epilog=_EPILOG,
        no_args_is_help=True,
        pretty_exceptions_enable=False,  # they would print local variables, secrets among them
    )
    app.callback()(_root)
    run_it, ask_it, operate = "Run the service", "Use the service", "Operate the service"
    app.command("demo", rich_help_panel=run_it)(demo.demo)
    app.command("serve", rich_help_panel=run_it)(serving.serve)
    app.command("api", rich_help_panel=run_it)(serving.api)
    app.command("worker", rich_help_panel=run_it)(serving.worker)
    app.command("token", rich_help_panel=run_it)(tokens.token)
    app.command("import", rich_help_panel=run_it)(import_file.import_file)
    app.add_typer(profiles.commands, name="profiles", rich_help_panel=run_it)
    app.command("request", rich_help_panel=ask_it)(exports.request)
    app.command("options", rich_help_panel=ask_it)(exports.options)
    app.command("status", rich_help_panel=ask_it)(exports.status)
    app.command("watch", rich_help_panel=ask_it)(exports.watch)
    app.command("list", rich_help_panel=ask_it)(exports.list_exports)
    app.command("cancel", rich_help_panel=ask_it)(exports.cancel)
    app.command("resend", rich_help_panel=ask_it)(exports.resend)
    app.command("check-api", rich_help_panel=operate)(check_api.check_api)
    app.add_typer(mails.commands, name="mail", rich_help_panel=operate)
    app.command("pause", rich_help_panel=operate)(pausing.pause)
    app.command("resume", rich_help_panel=operate)(pausing.resume)
    app.add_typer(exports_desk.commands, name="exports", rich_help_panel=operate)
    app.add_typer(dlq.commands, name="dlq", rich_help_panel=operate)
    app.command("audit", rich_help_panel=operate)(audit.audit)
    app.command("backup", rich_help_panel=operate)(backup.backup)
    app.command("restore", rich_help_panel=operate)(backup.restore)
    app.command("doctor", rich_help_panel=operate)(doctor.doctor)
    app.command("erase", rich_help_panel=operate)(erase.erase)
    return app


def _root(
    show_version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version.")
    ] = False,
) -> None:
    """Take the options that stand before a command; each of them does all that it does when it is read."""


def run() -> None:
    """Run the command that the arguments name."""
    prepare_streams()
    make_app()()


if __name__ == "__main__":
    run()
