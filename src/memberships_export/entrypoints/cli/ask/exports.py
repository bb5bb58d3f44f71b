"""The commands of a user: each asks the API one thing over HTTP.

Modules that take long to import (urllib3, Rich) are imported by the commands that need them: --help must not wait.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from memberships_export.entrypoints.cli.ask import choosing
from memberships_export.entrypoints.cli.ask.answers import Answer, as_table, has_completed, in_full, timeline_of
from memberships_export.entrypoints.cli.exits import ExitCode, WrongUsage
from memberships_export.entrypoints.cli.output import complain, say, say_json

if TYPE_CHECKING:
    from memberships_export.entrypoints.cli.ask.client import ExportsClient

DEFAULT_URL = "http://127.0.0.1:8000"

Url = Annotated[str, typer.Option("--url", envvar="MEMBERSHIPS_EXPORT_URL", help="Where the service is.")]
Token = Annotated[
    str,
    typer.Option(
        "--token",
        envvar="MEMBERSHIPS_EXPORT_TOKEN",
        show_default=False,
        help="Your token. Better in the variable: other users of this machine can see arguments.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the API's JSON.")]
ExportId = Annotated[str, typer.Argument(metavar="ID", help="The export's id, or its beginning.")]


def request(  # noqa: PLR0913, PLR0917  (each is an option)
    file_format: choosing.FileFormat = None,
    preset: choosing.FilePreset = None,
    columns: choosing.Columns = None,
    language: choosing.Language = None,
    time_zone: choosing.TimeZone = None,
    delimiter: choosing.Delimiter = None,
    decimal: choosing.Decimal = None,
    bom: choosing.Bom = None,
    guard: choosing.Guard = None,
    filters: choosing.Filters = None,
    url: Url = DEFAULT_URL,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Ask for an export of your memberships. While one with the same options is under way, this finds that one.

    What you do not say is chosen by the service. `memberships-export options` shows what there is.
    """
    wanted = choosing.chosen(
        format=file_format,
        preset=preset,
        columns=choosing.listed(columns),
        language=language,
        timeZone=time_zone,
        delimiter=delimiter,
        decimal=decimal,
        bom=bom,
        guard=guard,
        filters=choosing.pairs(filters),
    )
    answer = _client(url, token).request(wanted)
    if as_json:
        return say_json(answer)
    say(str(answer.get("exportId")))
    complain(f"{answer.get('statusText')}. To follow it: memberships-export watch {answer.get('exportId')}")
    return None


def options(
    language: choosing.Language = None,
    zone: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Find time zones that have this in their name.")
    ] = None,
    url: Url = DEFAULT_URL,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Show what `request` can ask for: formats, columns with their labels, languages, time zones."""
    from memberships_export.entrypoints.cli.ask.offers import offer_in_full  # noqa: PLC0415

    offer = _client(url, token).options(language, zone)
    say_json(offer) if as_json else say(offer_in_full(offer, zone))


def status(
    export_id: ExportId,
    timeline: Annotated[bool, typer.Option("--timeline", help="Show what happened to it, too.")] = False,
    url: Url = DEFAULT_URL,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Show where an export is."""
    client = _client(url, token)
    answer = client.status(client.full_id(export_id))
    _show(answer, as_json=as_json)
    if timeline and not as_json:
        say(timeline_of(answer))


def watch(
    export_id: ExportId,
    url: Url = DEFAULT_URL,
    token: Token = "",
    patience: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long to go on while the service does not answer.")
    ] = 300,
    as_json: AsJson = False,
) -> None:
    """Follow an export to its end: exit code 0 when it completed, 1 when it failed or was cancelled."""
    from memberships_export.entrypoints.cli.ask import watching  # noqa: PLC0415
    from memberships_export.entrypoints.cli.ask.patience import Patience  # noqa: PLC0415

    client, patient = _client(url, token), Patience(patience, complain)
    whole_id = patient.ask(lambda: client.full_id(export_id))
    answers = watching.answers(lambda: patient.ask(lambda: client.status(whole_id)))
    last = watching.follow(answers, watching.silence() if as_json else watching.view_for_this_terminal())
    _show(last, as_json=as_json)
    if not has_completed(last):
        raise typer.Exit(ExitCode.FAILED)


def list_exports(url: Url = DEFAULT_URL, token: Token = "", as_json: AsJson = False) -> None:
    """List your exports, newest first."""
    answer = _client(url, token).list()
    if as_json:
        return say_json(answer)
    items = answer.get("items") or []
    say(as_table(items)) if items else complain("No exports yet. Ask for one: memberships-export request")
    return None


def cancel(export_id: ExportId, url: Url = DEFAULT_URL, token: Token = "", as_json: AsJson = False) -> None:
    """Stop an export that is not finished. Its files are deleted, links to it stop working."""
    client = _client(url, token)
    _show(client.cancel(client.full_id(export_id)), as_json=as_json)


def resend(export_id: ExportId, url: Url = DEFAULT_URL, token: Token = "", as_json: AsJson = False) -> None:
    """Mail the file of a finished export again."""
    client = _client(url, token)
    _show(client.resend(client.full_id(export_id)), as_json=as_json)


def _client(url: str, token: str) -> "ExportsClient":
    from memberships_export.entrypoints.cli.ask.client import ExportsClient  # noqa: PLC0415

    if not token:
        raise WrongUsage(
            "There is no token. Set MEMBERSHIPS_EXPORT_TOKEN (or --token) to one, made where the service runs with:\n"
            "memberships-export token --user-id ID --email ADDRESS"
        )
    return ExportsClient(url, token)


def _show(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        say_json(answer)
    else:
        say(in_full(answer))
