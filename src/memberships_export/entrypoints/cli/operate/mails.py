"""`mail`: looks at the mails of the service before a member gets one."""

from pathlib import Path
from typing import Annotated

import typer

from memberships_export.domain.formats.languages import language_of
from memberships_export.domain.formats.options import LANGUAGES, Format, Options
from memberships_export.domain.mail.compose import Written
from memberships_export.domain.mail.examples import EVENTS, example
from memberships_export.entrypoints.cli.environment import settings_here
from memberships_export.entrypoints.cli.exits import CommandError, WrongUsage
from memberships_export.entrypoints.cli.output import complain, say, say_json

commands = typer.Typer(help="Look at the mails of the service before a member gets one.", no_args_is_help=True)


@commands.callback()
def mail() -> None:
    """Look at the mails of the service before a member gets one."""


@commands.command()
def preview(  # noqa: PLR0913, PLR0917  (each is an option)
    event: Annotated[str, typer.Argument(metavar="EVENT", help=f"Which mail: {' or '.join(EVENTS)}.")] = "",
    language: Annotated[
        str | None, typer.Option("--language", help="Such as de or de-CH; unset: that of the settings.")
    ] = None,
    file_format: Annotated[Format, typer.Option("--format", help="Of the file that the mail brings.")] = Format.CSV,
    linked: Annotated[bool, typer.Option("--link/--attached", help="How the mail brings it.")] = False,
    folder: Annotated[Path, typer.Option("--to", help="Where it is written.")] = Path("mail-preview"),
    open_it: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write an example of a mail, in the look of the settings: subject, text and page, a file each."""
    if event not in EVENTS:
        wrong = f"There is no mail {event!r}." if event else "Which mail?"
        raise WrongUsage(f"{wrong} The mails: {', '.join(EVENTS)}.")
    written = _written(event, language, file_format, linked=linked)
    files = _save(written, folder, f"{event}-{written.language}")
    if as_json:
        say_json({"subject": written.subject, "files": [str(path) for path in files]})
    else:
        say("\n".join([written.subject, *map(str, files)]))
    if open_it:
        _open(files[-1])


def _written(event: str, language: str | None, file_format: Format, *, linked: bool) -> Written:
    from memberships_export.bootstrap.parts import mail_writer  # noqa: PLC0415  (--help must not wait)

    settings = settings_here()
    tag = language_of(language) if language is not None else settings.language
    if tag is None:
        raise WrongUsage(f"{language!r} is no language of the mails. The languages: {', '.join(LANGUAGES)}.")
    options = Options(format=file_format, language=tag, time_zone=settings.time_zone)
    return mail_writer(settings).write(example(event, options, linked=linked))


def _save(written: Written, folder: Path, name: str) -> list[Path]:
    parts = {"subject.txt": f"{written.subject}\n", "txt": written.text, "html": written.html}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for ending, text in parts.items():
            (folder / f"{name}.{ending}").write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"The mail cannot be written to {folder.absolute()}: {error.strerror}.") from error
    return [(folder / f"{name}.{ending}").absolute() for ending in parts]


def _open(page: Path) -> None:
    import webbrowser  # noqa: PLC0415  (only for this)

    if not webbrowser.open(page.as_uri()):
        complain("No browser could be started here: open the page yourself.")
