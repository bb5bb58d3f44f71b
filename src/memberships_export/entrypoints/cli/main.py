"""The command line. Every command ends with one of these exit codes.

0  what was asked for is done
1  what was asked for failed, was refused or is not there
2  wrong arguments or settings
3  the service cannot be reached

Answers go to stdout; all that is said about them, errors first of all, goes to stderr.
"""

from typing import Any

import typer
from typer.core import TyperGroup

from memberships_export.domain.errors import StorageUnavailable
from memberships_export.entrypoints.cli.ask import exports
from memberships_export.entrypoints.cli.demo import command as demo
from memberships_export.entrypoints.cli.exits import CommandError, ExitCode
from memberships_export.entrypoints.cli.operate import dlq, import_file, tokens
from memberships_export.entrypoints.cli.output import complain
from memberships_export.entrypoints.cli.serve import serving
from memberships_export.settings import SettingsError

_EPILOG = (
    "Exit codes: 0 done; 1 what was asked for failed, was refused or is not there; 2 wrong arguments or settings; "
    "3 the service cannot be reached."
)


class _Commands(TyperGroup):
    """Turns what commands raise into a text on stderr and an exit code, in this one place."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  (Typer's own class of contexts has no public name)
        try:
            return super().invoke(ctx)
        except CommandError as error:
            raise _ended(str(error), error.code) from error
        except SettingsError as error:
            raise _ended(str(error), ExitCode.USAGE) from error
        except StorageUnavailable as error:
            raise _ended(error.reason, ExitCode.FAILED) from error


def _ended(text: str, code: ExitCode) -> typer.Exit:
    complain(text)
    return typer.Exit(code)


def make_app() -> typer.Typer:
    """Put the commands together, in the order in which a newcomer needs them."""
    app = typer.Typer(
        cls=_Commands,
        help="Members export all of their memberships to a CSV file that arrives by email.",
        epilog=_EPILOG,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # they would print local variables, secrets among them
    )
    run_it, ask_it, operate = "Run the service", "Use the service", "Operate the service"
    app.command("demo", rich_help_panel=run_it)(demo.demo)
    app.command("serve", rich_help_panel=run_it)(serving.serve)
    app.command("api", rich_help_panel=run_it)(serving.api)
    app.command("worker", rich_help_panel=run_it)(serving.worker)
    app.command("token", rich_help_panel=run_it)(tokens.token)
    app.command("import", rich_help_panel=run_it)(import_file.import_file)
    app.command("request", rich_help_panel=ask_it)(exports.request)
    app.command("status", rich_help_panel=ask_it)(exports.status)
    app.command("watch", rich_help_panel=ask_it)(exports.watch)
    app.command("list", rich_help_panel=ask_it)(exports.list_exports)
    app.command("cancel", rich_help_panel=ask_it)(exports.cancel)
    app.command("resend", rich_help_panel=ask_it)(exports.resend)
    app.add_typer(dlq.commands, name="dlq", rich_help_panel=operate)
    return app


def run() -> None:
    """Run the command that the arguments name."""
    make_app()()


if __name__ == "__main__":
    run()
