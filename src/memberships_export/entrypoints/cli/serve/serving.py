"""`serve`, `api` and `worker`: the service on this machine.

FastAPI, uvicorn and the adapters are imported when one of these runs: they take most of a second.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated

import typer

from memberships_export.entrypoints.cli.environment import settings_here
from memberships_export.entrypoints.cli.exits import WrongUsage
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

AlertCommand = Annotated[
    str | None,
    typer.Option(
        "--alert-command",
        metavar="COMMAND",
        help="Wake somebody by this command, instead of MEMBERSHIPS_EXPORT_ALERT_COMMAND.",
    ),
]


def serve(host: Host = None, port: Port = None, alert_command: AlertCommand = None) -> None:
    """Run API, worker and sweeper in one process. Other settings: environment variables MEMBERSHIPS_EXPORT_*."""
    _run(api=True, worker=True, flags=_flags(host, port, alert_command))


def api(host: Host = None, port: Port = None, alert_command: AlertCommand = None) -> None:
    """Run the API alone; `worker` in another process on this machine does the work."""
    _run(api=True, worker=False, flags=_flags(host, port, alert_command))


def worker(port: ApiPort = None, drain: Drain = False, alert_command: AlertCommand = None) -> None:
    """Run worker and sweeper alone, beside `api`. Memberships are fetched from the settings' URL, or from `api`."""
    _run(api=False, worker=True, flags=_flags(None, port, alert_command), drain=drain)


def _flags(host: str | None, port: int | None, alert_command: str | None) -> Mapping[str, str]:
    if host is not None and not host.strip():
        raise WrongUsage("--host is empty, but must be an address of this machine.")
    given = {"host": host, "port": port, "alert_command": alert_command}
    return {name: str(value) for name, value in given.items() if value is not None}


def _run(*, api: bool, worker: bool, flags: Mapping[str, str], drain: bool = False) -> None:
    from memberships_export.bootstrap.backend import problems_at_start  # noqa: PLC0415  (--help does not wait for it)
    from memberships_export.bootstrap.identity import problems_of_api  # noqa: PLC0415

    def also(settings: Settings) -> Iterator[Problem]:
        yield from problems_at_start(settings, fetches=worker)
        if api:
            yield from problems_of_api(settings)
        if not api and not settings.memberships_url and not settings.port:
            yield _no_port_to_ask()

    settings = settings_here(flags, also)
    from memberships_export.entrypoints.cli.serve.hosting import Roles, host  # noqa: PLC0415

    host(settings, Roles(api=api, worker=worker, drain=drain))


def _no_port_to_ask() -> Problem:
    text = (
        f"A worker alone cannot know the free port that `api` took: set --port ({variable('port')}) to the same "
        f"number for both, or {variable('memberships_url')} to your memberships API."
    )
    return text, {"port", "memberships_url"}
