"""`demo`: one export from request to mail on this machine."""

from typing import Annotated

import typer

from memberships_export.entrypoints.cli.ask import choosing


def demo(  # noqa: PLR0913, PLR0917  (each is an option)
    rows: Annotated[int, typer.Option(min=0, max=10_000_000, help="How many memberships the demo user has.")] = 2000,
    api: Annotated[
        str,
        typer.Option(help="Ask an API of another shape, by a profile: such as stripe-like. A wrong name lists all."),
    ] = "",
    file_format: choosing.FileFormat = None,
    preset: choosing.FilePreset = None,
    columns: choosing.Columns = None,
    language: choosing.Language = None,
    time_zone: choosing.TimeZone = None,
    keep: Annotated[bool, typer.Option(help="Leave the service running until Ctrl-C, to try more.")] = False,
) -> None:
    """Show one export from request to mail: a service of its own, made-up memberships, nothing to set up or to undo."""
    # Imported here: --help must not wait for it.
    from memberships_export.entrypoints.cli.demo.run import run_demo  # noqa: PLC0415
    from memberships_export.entrypoints.cli.demo.scene import Play  # noqa: PLC0415

    chosen = choosing.chosen(format=file_format, preset=preset, columns=columns, language=language, timeZone=time_zone)
    run_demo(Play(rows, api, chosen), keep=keep)
