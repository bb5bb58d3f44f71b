"""The form of one machine: settings become ports on one SQLite file and folders. Nothing to install or to start."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from memberships_export.adapters.embedded.backup.half_restored import refuse_half_restored
from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.folder import Folder
from memberships_export.adapters.embedded.machine import EmbeddedMachine
from memberships_export.adapters.embedded.os_user import os_user
from memberships_export.adapters.embedded.private import keep_private
from memberships_export.adapters.embedded.secrets_file import kept_secret
from memberships_export.adapters.embedded.service_state import SqliteServiceState
from memberships_export.adapters.embedded.sqlite_audit import SqliteAuditLog
from memberships_export.adapters.embedded.sqlite_desk import SqliteExportDesk
from memberships_export.adapters.embedded.sqlite_erasures import SqliteErasures
from memberships_export.adapters.embedded.sqlite_intake import SqliteIntake
from memberships_export.adapters.embedded.sqlite_queue import SqliteDeadLetters, SqliteExportQueue
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.adapters.mail.outbox import Outbox, OutboxMails
from memberships_export.adapters.source.profile_secrets import ProfileSecrets
from memberships_export.adapters.texts.catalogues import Catalogues
from memberships_export.adapters.texts.zone_names import zone_names
from memberships_export.bootstrap.kept_state import KeptState
from memberships_export.bootstrap.parts import (
    Secrets,
    mail_writer,
    memberships,
    profile_secrets,
    readers,
    sendgrid,
    smtp,
    smtp_port,
    utc_now,
)
from memberships_export.bootstrap.steady_clock import SteadyClock
from memberships_export.bootstrap.warm_up import warm_up
from memberships_export.ports import Mailer, Ports
from memberships_export.settings import Settings

_STATE_KEPT_SECONDS = 1.0  # so soon each process knows that the service was paused or resumed


class OneMachine:
    """What stands behind the ports on one machine: SQLite and files in the data folder."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; files are opened by `secrets` and `connect`."""
        self._settings = settings

    @property
    def secrets(self) -> Secrets:
        """Take the secrets from the settings; what is not set there is made once and kept in the data folder."""
        settings, folder = self._settings, self._settings.data_dir / "secrets"
        refuse_half_restored(settings.data_dir)
        return Secrets(
            jwt=_kept(settings.jwt_secret, folder / "jwt"),
            service=_kept(settings.service_secret, folder / "service"),
            links=_kept(settings.link_secret, folder / "links"),
            audit=self._audit_key,
        )

    @property
    def profile_secrets(self) -> ProfileSecrets:
        """What a profile may name here: variables of the environment."""
        return profile_secrets()

    def operator(self) -> str:
        """Return the user of the operating system."""
        return os_user()

    def connect(self, memberships_url: str | None) -> Ports:
        """Open the adapters, and make what is not there yet. Raises StorageUnavailable."""
        warm_up()
        settings = self._settings
        close_data_folder(settings)
        # Only the service takes over a database of an older version: under a command, an older service may run on it.
        database = Database(settings.data_dir / "exports.db", may_upgrade=memberships_url is not None)
        clock = SteadyClock(utc_now)  # not for what others see: tokens and the dates of mails have the system's time
        store = SqliteExportStore(database, clock)
        queue = SqliteExportQueue(
            database,
            clock=clock,
            visibility=timedelta(seconds=settings.visibility_seconds),
            max_receives=settings.policy.max_receives,
        )
        return Ports(
            store=store,
            intake=SqliteIntake(database, store, queue),
            state=KeptState(SqliteServiceState(database), _STATE_KEPT_SECONDS),
            desk=SqliteExportDesk(database),
            queue=queue,
            dead_letters=SqliteDeadLetters(database, clock=clock),
            files=Folder(settings.data_dir / "files"),
            erasures=SqliteErasures(database),
            mailer=_mailer(settings),
            source=memberships(settings, memberships_url, self.secrets.service, self.profile_secrets)
            if memberships_url
            else None,
            clock=clock,
            readers=readers(settings),
            translations=Catalogues(),
            mail_writer=mail_writer(settings),
            zone_names=zone_names,
            audit=SqliteAuditLog(database),
            audit_key=self._audit_key,
            kept_mails=OutboxMails(outbox_folder(settings)),
            machine=EmbeddedMachine(settings.data_dir / "processes", database),
        )

    def _audit_key(self) -> str:
        """Read it with each entry; the first one makes it."""
        return self._settings.audit_secret or kept_secret(self._settings.data_dir / "secrets" / "audit")


def close_data_folder(settings: Settings) -> None:
    """Make the data folder, or close it to other users of this machine. Raises StorageUnavailable."""
    refuse_half_restored(settings.data_dir)
    keep_private(settings.data_dir)


def outbox_folder(settings: Settings) -> Path:
    """Return where the outbox mailer writes, whether it is the mailer or not."""
    return settings.data_dir / "outbox"


def check_folders(settings: Settings) -> None:
    """Try a write where files go, and mails if they are files. Raises StorageUnavailable."""
    Folder(settings.data_dir / "files").check()
    if settings.mailer == "outbox":
        Folder(outbox_folder(settings)).check()


def _kept(value: str | None, path: Path) -> Callable[[], str]:
    known = value or kept_secret(path)
    return lambda: known


def mails_go_to(settings: Settings) -> str:
    """Say where mails go, for people."""
    if settings.mailer == "smtp":
        return f"{settings.smtp_host}, port {smtp_port(settings)} (SMTP, {settings.smtp_security})"
    outbox = f"outbox folder {outbox_folder(settings).absolute()}"
    return outbox if settings.mailer == "outbox" else settings.sendgrid_url


def _mailer(settings: Settings) -> Mailer:
    if settings.mailer == "outbox":
        return Outbox(outbox_folder(settings), sender=settings.sender, clock=utc_now)
    if settings.mailer == "smtp":
        return smtp(settings, lambda: settings.smtp_password or "")
    key = settings.sendgrid_api_key or ""
    return sendgrid(settings, lambda: key)
