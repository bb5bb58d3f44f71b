"""The settings choose the backend, in this one place; what is opened here works on whichever it is."""

from collections.abc import Iterator

from memberships_export.bootstrap import parts
from memberships_export.bootstrap.freed_memory import keep_freed_memory
from memberships_export.bootstrap.parts import Backend, Secrets
from memberships_export.bootstrap.starting import problems_of_worker
from memberships_export.domain.audit import Actor, Channel, Origin
from memberships_export.domain.source.profile import KnownProfile
from memberships_export.ports import MembershipSource, Ports
from memberships_export.service.auditing import audit_of
from memberships_export.service.clear_erased import clear_erased
from memberships_export.service.links import DownloadLinks
from memberships_export.service.operator.erase import EraseUser
from memberships_export.service.operator.exports import OperateExports
from memberships_export.service.operator.pause import PauseService
from memberships_export.service.operator.read_audit import ReadAudit
from memberships_export.service.operator.redrive import RedriveExports
from memberships_export.settings import Problem, Settings, SettingsError


def connect(settings: Settings, memberships_url: str | None) -> Ports:
    """Open the adapters. Without a memberships URL the process fetches nothing."""
    if memberships_url:
        keep_freed_memory()  # for who stays: a command has ended before it gains by it
    return _backend(settings).connect(memberships_url)


def load_secrets(settings: Settings) -> Secrets:
    """Take the secrets from the settings, the data folder or Secrets Manager."""
    return _backend(settings).secrets


def usable_profile(settings: Settings) -> KnownProfile:
    """Read the profile for a process that asks as it says. Raises SettingsError, also for missing secrets."""
    return parts.usable_profile(settings, _backend(settings).profile_secrets)


def problems_at_start(settings: Settings, *, fetches: bool) -> Iterator[Problem]:
    """Find what else keeps a process from starting. `fetches`: it needs the secrets that the profile names."""
    try:
        secrets = _backend(settings).profile_secrets if fetches else None
    except SettingsError as error:
        yield from ((text, {"backend"}) for text in error.problems)
        secrets = None
    yield from problems_of_worker(settings, secrets)


def memberships_api(settings: Settings, url: str) -> MembershipSource:
    """Return the memberships API at `url`, and open nothing else. Raises ValueError for a URL that is none."""
    chosen = _backend(settings)

    def service_secret() -> str:  # on one machine the secrets are made when somebody asks for them
        return chosen.secrets.service()

    return parts.memberships(settings, url, service_secret, chosen.profile_secrets)


def download_links(settings: Settings, public_url: str) -> DownloadLinks:
    """Make the links for mails; `public_url` is where users reach the API."""
    secret = load_secrets(settings).links
    secret()  # one that cannot be read is better found at the start than with the first link
    return DownloadLinks(secret=secret, public_url=public_url)


def operator_origin(settings: Settings) -> Origin:
    """Return who runs a command, for the audit log. Raises StorageUnavailable when that cannot be known."""
    return Origin(actor=Actor.OPERATOR, who=_backend(settings).operator(), channel=Channel.CLI)


def audit_desk(settings: Settings) -> ReadAudit:
    """Open the audit log of the service, for reading."""
    ports = connect(settings, None)
    return ReadAudit(log=ports.audit, audit=audit_of(ports))


def exports_desk(settings: Settings) -> OperateExports:
    """Open the exports of all users."""
    ports = connect(settings, None)
    return OperateExports(
        store=ports.store,
        desk=ports.desk,
        queue=ports.queue,
        audit=audit_of(ports),
        clock=ports.clock,
        policy=settings.policy,
    )


def operator_desk(settings: Settings) -> RedriveExports:
    """Open the dead letter desk of the service."""
    ports = connect(settings, None)
    return RedriveExports(
        store=ports.store,
        erasures=ports.erasures,
        queue=ports.queue,
        dead_letters=ports.dead_letters,
        clock=ports.clock,
        policy=settings.policy,
        audit=audit_of(ports),
    )


def check_storage(settings: Settings, ports: Ports) -> None:
    """Try whether the service can write all that it has to write. Raises StorageUnavailable."""
    ports.store.check()
    if settings.backend == "embedded":
        from memberships_export.bootstrap.one_machine import check_folders  # noqa: PLC0415

        check_folders(settings)


def pausing(settings: Settings) -> PauseService:
    """Open what pauses the service."""
    ports = connect(settings, None)
    return PauseService(state=ports.state, audit=audit_of(ports), clock=ports.clock)


def erasing_desk(settings: Settings) -> EraseUser:
    """Open what erases users."""
    ports = connect(settings, None)
    return EraseUser(
        store=ports.store,
        erasures=ports.erasures,
        dead_letters=ports.dead_letters,
        clear=clear_erased(ports, settings.policy),
        audit=audit_of(ports),
        clock=ports.clock,
    )


def _backend(settings: Settings) -> Backend:
    if settings.backend == "aws":
        from memberships_export.bootstrap.aws import Aws  # noqa: PLC0415  (one machine has no botocore)

        return Aws(settings)
    from memberships_export.bootstrap.one_machine import OneMachine  # noqa: PLC0415  (as above: only what is needed)

    return OneMachine(settings)
