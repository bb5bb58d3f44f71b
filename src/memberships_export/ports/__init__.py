"""What the service needs from the world. Adapters implement these; nothing here knows a vendor.

Every adapter raises StorageUnavailable (or the transient errors named below) for trouble that will pass; anything
else it raises is a bug and stops the work at hand.
"""

from memberships_export.ports.files import Download, FileSink, FileStore
from memberships_export.ports.mails import KeptMails, Mailer, MailWriter, Translations
from memberships_export.ports.operation import AuditLog, Erasures, Metrics, ServiceState
from memberships_export.ports.process import Ports
from memberships_export.ports.queues import DeadLetters, ExportQueue, Unwanted
from memberships_export.ports.records import Clock, ExportDesk, ExportStore, Intake, Machine
from memberships_export.ports.source import Awaited, MembershipSource, Readers

__all__ = [
    "AuditLog",
    "Awaited",
    "Clock",
    "DeadLetters",
    "Download",
    "Erasures",
    "ExportDesk",
    "ExportQueue",
    "ExportStore",
    "FileSink",
    "FileStore",
    "Intake",
    "KeptMails",
    "Machine",
    "MailWriter",
    "Mailer",
    "MembershipSource",
    "Metrics",
    "Ports",
    "Readers",
    "ServiceState",
    "Translations",
    "Unwanted",
]
