"""What `serve`, `api` and `worker` have in common: one process does it all, or one looks after the others that do."""

import logging
from functools import partial

import typer

from memberships_export.bootstrap import backend
from memberships_export.bootstrap.loaded_ahead import load_what_mails_take
from memberships_export.bootstrap.one_machine import close_data_folder
from memberships_export.entrypoints.cli import logs
from memberships_export.entrypoints.cli.data_folder import make_writable
from memberships_export.entrypoints.cli.exits import CommandError
from memberships_export.entrypoints.cli.serve.cores import cores_here
from memberships_export.entrypoints.cli.serve.listening import listen
from memberships_export.entrypoints.cli.serve.one_process import Process
from memberships_export.entrypoints.cli.serve.pipes import Tie
from memberships_export.entrypoints.cli.serve.roles import Child, Roles, children_of, workers_for
from memberships_export.entrypoints.cli.serve.site import Site
from memberships_export.entrypoints.cli.serve.supervisor import Supervisor
from memberships_export.entrypoints.cli.serve.threads import tell_stopping
from memberships_export.entrypoints.cli.serve.welcome import Welcome
from memberships_export.settings import Settings

log = logging.getLogger(__name__)


def host(settings: Settings, command: Roles) -> None:
    """Run until SIGTERM or SIGINT.

    Raises CommandError, SettingsError, StorageUnavailable for what keeps it from starting.
    """
    logs.to_stderr(settings.log_format)
    profile = backend.usable_profile(settings) if command.worker else None
    if settings.backend == "embedded":
        make_writable(settings.data_dir)
        close_data_folder(settings)
    site = Site(settings, listen(settings) if command.api else None)
    welcome = Welcome(site, command, profile)
    workers = settings.workers or workers_for(cores_here())
    children = children_of(command, workers=workers, api_processes=settings.api_processes)
    if children:
        if command.api:  # loaded once, before there are children: they share it
            import memberships_export.entrypoints.cli.serve.api_part  # noqa: F401, PLC0415
        load = partial(load_what_mails_take, settings) if command.worker else _nothing
        _supervise(Supervisor(children, partial(_live, site), load), welcome)
    else:
        Process(site=site, roles=command, started=welcome.print).run()


def _nothing() -> None:
    """Load nothing: who only answers mails nothing."""


def _live(site: Site, child: Child, tie: Tie, starts: int) -> None:
    Process(site=site, roles=child.roles, tie=tie, starts=starts).run()


def _supervise(supervisor: Supervisor, welcome: Welcome) -> None:
    ending = supervisor(welcome.print)
    if ending.status:
        raise typer.Exit(ending.status)  # why, the child has told
    tell_stopping(ending.signal, drained=ending.drained)
    log.info("event=stopped clean=%s", supervisor.stop())
    if ending.hopeless:
        raise CommandError(f"{ending.hopeless} could not be started: the log above says why.")
