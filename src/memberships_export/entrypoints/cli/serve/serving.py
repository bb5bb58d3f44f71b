"""`serve`, `api` and `worker`: the service on this machine.

FastAPI, uvicorn and the adapters are imported when one of these runs: they take most of a second.
"""

from memberships_export.entrypoints.cli.environment import settings_here
from memberships_export.entrypoints.cli.exits import WrongUsage
from memberships_export.settings import variable


def serve() -> None:
    """Run API, worker and sweeper in one process. Settings: environment variables MEMBERSHIPS_EXPORT_*."""
    _host(api=True, worker=True)


def api() -> None:
    """Run the API alone; `worker` in another process on this machine does the work."""
    _host(api=True, worker=False)


def worker() -> None:
    """Run worker and sweeper alone, beside `api`. Memberships are fetched from the settings' URL, or from `api`."""
    _host(api=False, worker=True)


def _host(*, api: bool, worker: bool) -> None:
    settings = settings_here()
    if not api and not settings.memberships_url and not settings.port:
        raise WrongUsage(
            f"A worker alone cannot know the free port that `api` took: set {variable('port')} to the same number for "
            f"both, or {variable('memberships_url')} to your memberships API."
        )
    from memberships_export.entrypoints.cli.serve.hosting import Roles, host  # noqa: PLC0415

    host(settings, Roles(api=api, worker=worker))
