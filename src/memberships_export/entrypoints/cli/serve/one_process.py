"""What one process of the service is made of: settings become threads."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from memberships_export.bootstrap import backend
from memberships_export.bootstrap.metrics_page import counting, metrics_page
from memberships_export.entrypoints.alerting import Alerting
from memberships_export.entrypoints.cli.environment import wiring
from memberships_export.entrypoints.cli.exits import CommandError
from memberships_export.entrypoints.cli.serve.known import Known
from memberships_export.entrypoints.cli.serve.metrics_port import MetricsPort
from memberships_export.entrypoints.cli.serve.noticing import Noticing
from memberships_export.entrypoints.cli.serve.pipes import Tie
from memberships_export.entrypoints.cli.serve.readiness import Readiness
from memberships_export.entrypoints.cli.serve.roles import Roles
from memberships_export.entrypoints.cli.serve.site import Site
from memberships_export.entrypoints.cli.serve.threads import Api, Parts, run_until_signal, run_until_told
from memberships_export.entrypoints.profile_log import tell_profile
from memberships_export.entrypoints.worker import Worker
from memberships_export.ports import Ports
from memberships_export.service.assembly import Services, assemble
from memberships_export.service.metrics import RESTARTS, NoMetrics
from memberships_export.service.operator.check_api import CheckApi
from memberships_export.service.operator.first_look import FirstLook
from memberships_export.service.worker.first_mail import write_first_mail
from memberships_export.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process. `started` is called when its API is up. `tie`: to its parent; None where it is the only one.

    `starts`: how many there have been in its place, with this one.
    """

    site: Site
    roles: Roles
    started: Callable[[], None] = lambda: None
    tie: Tie | None = None
    starts: int = 1

    def run(self) -> None:
        """Run until it is told to end.

        Raises CommandError, SettingsError, StorageUnavailable for what keeps it from starting.
        """
        settings, roles = self.site.settings, self.roles
        with wiring():
            ports = counting(settings, backend.connect(settings, self.site.memberships_url))
            known = self._known(ports)
            services = assemble(ports, settings.policy, backend.download_links(settings, self.site.url))
            alerting = _alerting(settings, ports, known) if roles.leads else None
            api = self._api(ports, services, known)
        _check_store(ports)
        metrics = _answer_metrics(settings, ports)
        if self.starts > 1 and ports.metrics:
            ports.metrics.count(RESTARTS)
        if roles.leads:
            tell_profile(ports.readers.current.known)
        worker = _worker(settings, ports, services, roles) if roles.worker else None
        first_mail = partial(write_first_mail, ports.mail_writer, settings.policy.likes) if worker else None
        beside = {"first-look": known.look, "first-mail": first_mail}
        parts = Parts(api, worker, partial(_started, self.started, beside, alerting), drain=roles.drain)
        ended_well = run_until_told(parts, self.tie) if self.tie else run_until_signal(parts)
        if metrics:
            metrics.stop()
        if alerting:
            alerting.stop()
        if not ended_well:
            raise CommandError("The API ended by itself: the log above says why.")

    def _known(self, ports: Ports) -> Known:
        settings, tie = self.site.settings, self.tie
        noticing = Noticing(ports.clock, tie.note) if tie and not self.roles.leads else Noticing(ports.clock)
        if tie and self.roles.leads:
            tie.notes(noticing.count)
        logging.getLogger("memberships_export").addHandler(noticing)
        check = Readiness(partial(backend.check_storage, settings, ports))
        return Known(check, noticing, _first_look(settings, ports) if self.roles.looks else None)

    def _api(self, ports: Ports, services: Services, known: Known) -> Api | None:
        if not self.site.listening:
            return None
        if not self.roles.api:
            self.site.listening.close()  # the sockets are those of others
            return None
        from memberships_export.entrypoints.cli.serve.api_part import api_of  # noqa: PLC0415  (a worker needs none)

        return api_of(self.site.settings, self.site.listening, ports, services, known)


def _first_look(settings: Settings, ports: Ports) -> FirstLook | None:
    """Return what looks at an API of somebody else. Ours, and those made by our contract, are known to fit."""
    if ports.readers.only_own or ports.source is None:
        return None
    size = settings.policy.page_size
    return FirstLook(
        CheckApi(source=ports.source, reader=ports.readers.current, page_size=size, seconds=time.monotonic), ports.clock
    )


def _alerting(settings: Settings, ports: Ports, known: Known) -> Alerting | None:
    """Return what wakes somebody, where that is set. Raises ValueError for what cannot be run or called."""
    if not (settings.alert_command or settings.alert_url):
        return None
    from memberships_export.bootstrap.alerts import raise_alerts  # noqa: PLC0415  (most start without)

    stopping = threading.Event()
    return Alerting(raise_alerts(settings, ports, known.check, known.noticed, stopping.is_set), stopping)


def _started(
    started: Callable[[], None], beside: Mapping[str, Callable[[], object] | None], alerting: Alerting | None
) -> None:
    """Say so, and begin what is done beside the work: it delays nothing, and a stop does not wait for it."""
    started()
    for name, task in beside.items():
        if task:
            threading.Thread(target=task, name=name, daemon=True).start()
    if alerting:
        alerting.start()


def _check_store(ports: Ports) -> None:
    """Read one record; there is none of this id. Raises StorageUnavailable.

    A full disk does not keep the service from starting: what is there can still be read.
    """
    ports.store.get("is-the-store-there")


def _worker(settings: Settings, ports: Ports, services: Services, roles: Roles) -> Worker:
    return Worker(
        queue=ports.queue,
        state=ports.state,
        run_export=services.run,
        sweep=services.sweep,
        threads=settings.worker_threads,
        sweep_seconds=settings.sweep_seconds,
        sweeps=roles.sweeps,
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
