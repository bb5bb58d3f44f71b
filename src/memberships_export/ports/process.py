"""All of them, as one process has them."""

from collections.abc import Callable
from dataclasses import dataclass

from memberships_export.domain.formats.options import ZoneNames
from memberships_export.ports.files import FileStore
from memberships_export.ports.mails import KeptMails, Mailer, MailWriter, Translations
from memberships_export.ports.operation import AuditLog, Erasures, Metrics, ServiceState
from memberships_export.ports.queues import DeadLetters, ExportQueue
from memberships_export.ports.records import Clock, ExportDesk, ExportStore, Intake, Machine
from memberships_export.ports.source import MembershipSource, Readers


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything outside of the process that the use cases need."""

    store: ExportStore
    state: ServiceState
    desk: ExportDesk
    queue: ExportQueue
    dead_letters: DeadLetters
    files: FileStore
    erasures: Erasures
    mailer: Mailer | None  # None: this process may not send mails
    source: MembershipSource | None  # None: this process may not reach the memberships API
    clock: Clock
    readers: Readers
    translations: Translations
    mail_writer: MailWriter
    zone_names: ZoneNames
    audit: AuditLog
    audit_key: Callable[[], str]  # what the pseudonyms in it are made with
    intake: Intake | None = None  # None: record and message are two writes
    kept_mails: KeptMails | None = None  # None: no mails are kept here
    machine: Machine | None = None  # None: processes are on many machines, and only the end of a lease tells
    metrics: Metrics | None = None  # None: nobody wants to see numbers
