"""What `serve`, `api` and `worker` have in common: settings become threads, and a welcome."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from urllib.parse import SplitResult, urlsplit

from fastapi import APIRouter, FastAPI

from memberships_export.bootstrap import backend
from memberships_export.bootstrap.identity import mail_webhook, membership_tokens, user_tokens
from memberships_export.bootstrap.metrics_page import counting, metrics_page
from memberships_export.bootstrap.one_machine import mails_go_to
from memberships_export.domain.source.profile import KnownProfile
from memberships_export.entrypoints.alerting import Alerting
from memberships_export.entrypoints.api.app import create_app
from memberships_export.entrypoints.api.exports_api import ExportsApi
from memberships_export.entrypoints.api.headers import HTTPS_ONLY
from memberships_export.entrypoints.api.health import Details, health_router
from memberships_export.entrypoints.api.router import exports_router
from memberships_export.entrypoints.cli import logs
from memberships_export.entrypoints.cli.data_folder import make_writable
from memberships_export.entrypoints.cli.environment import wiring
from memberships_export.entrypoints.cli.exits import CommandError
from memberships_export.entrypoints.cli.output import say
from memberships_export.entrypoints.cli.program import program
from memberships_export.entrypoints.cli.serve.bundled import bundled_memberships
from memberships_export.entrypoints.cli.serve.limits import limits_here
from memberships_export.entrypoints.cli.serve.listening import Listening, listen, local_url
from memberships_export.entrypoints.cli.serve.metrics_port import MetricsPort
from memberships_export.entrypoints.cli.serve.noticing import Noticing
from memberships_export.entrypoints.cli.serve.readiness import Readiness
from memberships_export.entrypoints.cli.serve.threads import ApiThread, run_until_signal
from memberships_export.entrypoints.profile_log import tell_profile
from memberships_export.entrypoints.worker import Worker
from memberships_export.ports import Ports
from memberships_export.service.assembly import Services, assemble
from memberships_export.service.metrics import NoMetrics
from memberships_export.service.operator.check_api import CheckApi
from memberships_export.service.operator.first_look import FirstLook
from memberships_export.settings import Settings


@dataclass(frozen=True, slots=True)
class Roles:
    """What this process does."""

    api: bool
    worker: bool
    drain: bool = False  # the worker ends when there is nothing left that could be done now


def host(settings: Settings, roles: Roles) -> None:
    """Run until SIGTERM or SIGINT.

    Raises CommandError, SettingsError, StorageUnavailable for what keeps it from starting.
    """
    logs.to_stderr(settings.log_format)
    profile = backend.usable_profile(settings) if roles.worker else None
    if settings.backend == "embedded":
        make_writable(settings.data_dir)
    listening = listen(settings) if roles.api else None
    url = settings.public_url or (listening.url if listening else local_url(settings))
    memberships_url = settings.memberships_url or (listening.local_url if listening else local_url(settings))
    with wiring():
        ports = counting(settings, backend.connect(settings, memberships_url))
        health = _health_of(settings, ports)
        services = assemble(ports, settings.policy, backend.download_links(settings, url))
        look = _first_look(settings, ports) if roles.worker else None
        alerting = _alerting(settings, ports, health)
        api = _api(settings, _app(settings, ports, services, health, look), listening) if listening else None
    _check_store(ports)
    metrics = _answer_metrics(settings, ports)
    worker = _worker(settings, ports, services) if roles.worker else None
    welcome = _Welcome(settings, listening, memberships_url, roles, profile)
    tell_profile(ports.readers.current.known)
    ended_well = run_until_signal(api, worker, partial(_started, welcome, look, alerting), drain=roles.drain)
    if metrics:
        metrics.stop()
    if alerting:
        alerting.stop()
    if not ended_well:
        raise CommandError("The API ended by itself: the log above says why.")


def _first_look(settings: Settings, ports: Ports) -> FirstLook | None:
    """Return what looks at an API of somebody else. Ours, and those made by our contract, are known to fit."""
    if ports.readers.only_own or ports.source is None:
        return None
    size = settings.policy.page_size
    return FirstLook(
        CheckApi(source=ports.source, reader=ports.readers.current, page_size=size, seconds=time.monotonic), ports.clock
    )


@dataclass(frozen=True, slots=True)
class _Health:
    """What this process knows of its own state: `check` tries a write, `noticed` is what its log told."""

    check: Callable[[], None]
    noticed: Noticing


def _health_of(settings: Settings, ports: Ports) -> _Health:
    noticing = Noticing(ports.clock)
    logging.getLogger("memberships_export").addHandler(noticing)
    return _Health(Readiness(partial(backend.check_storage, settings, ports)), noticing)


def _alerting(settings: Settings, ports: Ports, health: _Health) -> Alerting | None:
    """Return what wakes somebody, where that is set. Raises ValueError for what cannot be run or called."""
    if not (settings.alert_command or settings.alert_url):
        return None
    from memberships_export.bootstrap.alerts import raise_alerts  # noqa: PLC0415  (most start without)

    stopping = threading.Event()
    return Alerting(raise_alerts(settings, ports, health.check, health.noticed, stopping.is_set), stopping)


def _started(welcome: "_Welcome", look: FirstLook | None, alerting: Alerting | None) -> None:
    """Say so, and look at the API beside the work: it delays nothing, and a stop does not wait for it."""
    welcome.print()
    if look:
        threading.Thread(target=look, name="first-look", daemon=True).start()
    if alerting:
        alerting.start()


def _app(settings: Settings, ports: Ports, services: Services, health: _Health, look: FirstLook | None) -> FastAPI:
    users = user_tokens(settings)
    api = ExportsApi(
        request=services.request,
        offer=services.offer,
        read=services.read,
        cancel=services.cancel,
        erase_own=services.erase_own,
        resend=services.resend,
        record_mail_events=services.record_mail_events,
        tokens=users,
        webhook=mail_webhook(settings),
        is_paused=lambda: ports.state.paused() is not None,
    )
    bundled = [] if settings.memberships_url else [bundled_memberships(settings, membership_tokens(settings, users))]
    return create_app(
        [*bundled, exports_router(api), _health(ports, services, health, look)],
        _public(settings).path,
    )


def _health(ports: Ports, services: Services, health: _Health, look: FirstLook | None) -> APIRouter:
    details = Details(
        waiting=services.what_waits,
        found=look.found if look else lambda: None,
        noticed=health.noticed,
        paused=ports.state.paused,
    )
    return health_router(health.check, details)


def _api(settings: Settings, app: FastAPI, listening: Listening) -> ApiThread:
    headers = HTTPS_ONLY if _public(settings).scheme == "https" else {}
    return ApiThread(app, listening.sockets, limits_here(settings.max_connections), headers)


def _public(settings: Settings) -> SplitResult:
    return urlsplit(settings.public_url or "")


def _check_store(ports: Ports) -> None:
    """Read one record; there is none of this id. Raises StorageUnavailable.

    A full disk does not keep the service from starting: what is there can still be read.
    """
    ports.store.get("is-the-store-there")


def _worker(settings: Settings, ports: Ports, services: Services) -> Worker:
    return Worker(
        queue=ports.queue,
        state=ports.state,
        run_export=services.run,
        sweep=services.sweep,
        threads=settings.workers,
        sweep_seconds=settings.sweep_seconds,
        machine=ports.machine,
        metrics=ports.metrics or NoMetrics(),
    )


def _answer_metrics(settings: Settings, ports: Ports) -> MetricsPort | None:
    """Open the port of /metrics where one is set, or wait until the process that has it is gone."""
    page = metrics_page(settings, ports)
    if page is None or settings.metrics_port is None:
        return None
    port = MetricsPort(page, settings.metrics_host, settings.metrics_port)
    port.start()
    return port


@dataclass(frozen=True, slots=True)
class _Welcome:
    """What a newcomer wants to know first."""

    settings: Settings
    listening: Listening | None
    memberships_url: str
    roles: Roles
    profile: KnownProfile | None  # a process that fetches nothing needs none

    def print(self) -> None:
        """Print it, now that it is true. Nobody has to read it: the service goes on also when it cannot be written."""
        facts = [f"{name:<12} {value}" for name, value in self._facts()]
        with suppress(BrokenPipeError, CommandError):
            say("\n".join([*facts, *self._next_steps()]))

    def _facts(self) -> list[tuple[str, str]]:
        listening = [("Listening on", self.listening.url)] if self.listening else []
        path = self.profile.profile.request.path if self.profile else "/memberships"
        return [*listening, ("Memberships", f"{self.memberships_url}{path}"), *self._places()]

    def _places(self) -> list[tuple[str, str]]:
        settings = self.settings
        if settings.backend == "aws":
            return [("Records", f"DynamoDB table {settings.table}"), ("Messages", str(settings.queue_url))]
        return [("Data folder", str(settings.data_dir.absolute())), ("Mails go to", mails_go_to(settings))]

    def _next_steps(self) -> list[str]:
        """Say what to type in another terminal.

        A worker alone needs nothing more, nor does one of many containers or one behind a balancer that logs users in.
        """
        if not self.listening or self.settings.backend == "aws" or self.settings.alb_arn:
            return []
        return [
            "",
            "Try it in another terminal, in this folder:",
            f"  export MEMBERSHIPS_EXPORT_URL={self.listening.url}",
            *self._token_step(),
            f"  {program()} watch $({program()} request)",
            *([] if self.settings.memberships_url else [f"To have something to export: {program()} import --help"]),
            *([] if self.roles.worker else [f"Nothing is exported until a worker runs: {self._worker_command()}"]),
        ]

    def _worker_command(self) -> str:
        port = f" --port {self.listening.port}" if self.listening and not self.settings.memberships_url else ""
        return f"{program()} worker{port}"

    def _token_step(self) -> list[str]:
        if not self.settings.makes_tokens:
            return ["  export MEMBERSHIPS_EXPORT_TOKEN=<a token of your identity provider>"]
        command = f"{program()} token --user-id user-1 --email you@example.org"
        return [f"  export MEMBERSHIPS_EXPORT_TOKEN=$({command})"]
