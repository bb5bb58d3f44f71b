"""`serve`, `api` and `worker`: the service on this machine.

FastAPI, uvicorn and the adapters are imported when one of these runs: they take most of a second.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated

import typer

from memberships_export.entrypoints.cli.environment import settings_here
from memberships_export.entrypoints.cli.exits import WrongUsage
from memberships_export.entrypoints.cli.serve.roles import Roles, all_of
from memberships_export.settings import Problem, Settings, variable

Host = Annotated[
    str | None,
    typer.Option("--host", metavar="ADDRESS", help="Listen here, instead of at MEMBERSHIPS_EXPORT_HOST."),
]
Port = Annotated[
    int | None,
    typer.Option(
        "--port", min=0, max=65535, help="Listen here, instead of at MEMBERSHIPS_EXPORT_PORT; 0 takes a free one."
    ),
]

ApiPort = Annotated[
    int | None,
    typer.Option("--port", min=1, max=65535, help="Where `api` listens, instead of MEMBERSHIPS_EXPORT_PORT."),
]

Drain = Annotated[
    bool,
    typer.Option("--drain", help="Do what can be done now, then end: when the queue is empty, or the service paused."),
]

Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        max=64,
        metavar="N",
        help="Worker processes, instead of MEMBERSHIPS_EXPORT_WORKERS; unset: one for each core, at least two.",
    ),
]

ApiProcesses = Annotated[
    int | None,
    typer.Option(
        "--api-processes",
        min=1,
        max=64,
        metavar="N",
        help="Processes that answer, instead of MEMBERSHIPS_EXPORT_API_PROCESSES; unset: 1.",
    ),
]

AlertCommand = Annotated[
    str | None,
    typer.Option(
        "--alert-command",
        metavar="COMMAND",
        help="Wake somebody by this command, instead of MEMBERSHIPS_EXPORT_ALERT_COMMAND.",
    ),
]


def serve(
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    api_processes: ApiProcesses = None,
    alert_command: AlertCommand = None,
) -> None:
    """Run API, workers and sweeper. Other settings: environment variables MEMBERSHIPS_EXPORT_*.

    They are processes that one parent starts, starts again and ends; with --workers 1, threads of one process.
    """
    given = {"host": host, "port": port, "workers": workers, "api_processes": api_processes}
    _run(all_of(api=True, worker=True), given | {"alert_command": alert_command})


def api(
    host: Host = None, port: Port = None, api_processes: ApiProcesses = None, alert_command: AlertCommand = None
) -> None:
    """Run the API alone; `worker` in another process on this machine does the work."""
    given = {"host": host, "port": port, "api_processes": api_processes, "alert_command": alert_command}
    _run(all_of(api=True, worker=False), given)


def worker(
    port: ApiPort = None, workers: Workers = None, drain: Drain = False, alert_command: AlertCommand = None
) -> None:
    """Run workers and sweeper alone, beside `api`. Memberships are fetched from the settings' URL, or from `api`."""
    given = {"port": port, "workers": workers, "alert_command": alert_command}
    _run(all_of(api=False, worker=True, drain=drain), given)


def _run(command: Roles, given: Mapping[str, str | int | None]) -> None:
    from memberships_export.bootstrap.backend import problems_at_start  # noqa: PLC0415  (--help does not wait for it)
    from memberships_export.bootstrap.identity import problems_of_api  # noqa: PLC0415

    def also(settings: Settings) -> Iterator[Problem]:
        yield from problems_at_start(settings, fetches=command.worker)
        if command.api:
            yield from problems_of_api(settings)
        if not command.api and not settings.memberships_url and not settings.port:
            yield _no_port_to_ask()

    settings = settings_here(_flags(given), also)
    from memberships_export.entrypoints.cli.serve.hosting import host  # noqa: PLC0415

    host(settings, command)


def _flags(given: Mapping[str, str | int | None]) -> Mapping[str, str]:
    flags = {name: str(value) for name, value in given.items() if value is not None}
    if not flags.get("host", "-").strip():
        raise WrongUsage("--host is empty, but must be an address of this machine.")
    return flags


def _no_port_to_ask() -> Problem:
    text = (
        f"A worker alone cannot know the free port that `api` took: set --port ({variable('port')}) to the same "
        f"number for both, or {variable('memberships_url')} to your memberships API."
    )
    return text, {"port", "memberships_url"}
