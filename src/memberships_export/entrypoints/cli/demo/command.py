"""`demo`: one export from request to mail on this machine."""

from typing import Annotated

import typer


def demo(
    rows: Annotated[int, typer.Option(min=0, max=10_000_000, help="How many memberships the demo user has.")] = 2000,
    api: Annotated[
        str,
        typer.Option(help="Ask an API of another shape, by a profile: such as stripe-like. A wrong name lists all."),
    ] = "",
    keep: Annotated[bool, typer.Option(help="Leave the service running until Ctrl-C, to try more.")] = False,
) -> None:
    """Show one export from request to mail: a service of its own, made-up memberships, nothing to set up or to undo."""
    from memberships_export.entrypoints.cli.demo.run import run_demo  # noqa: PLC0415  (--help must not wait for it)

    run_demo(rows, api, keep=keep)
