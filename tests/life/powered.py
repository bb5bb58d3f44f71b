"""The service on one folder of a machine whose power may go, and what the world outside saw of it."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from functools import cache
from hashlib import sha256
from pathlib import Path

from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.folder import Folder
from memberships_export.adapters.embedded.service_state import SqliteServiceState
from memberships_export.adapters.embedded.sqlite_audit import SqliteAuditLog
from memberships_export.adapters.embedded.sqlite_desk import SqliteExportDesk
from memberships_export.adapters.embedded.sqlite_erasures import SqliteErasures
from memberships_export.adapters.embedded.sqlite_intake import SqliteIntake
from memberships_export.adapters.embedded.sqlite_queue import SqliteDeadLetters, SqliteExportQueue
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.adapters.mail.outbox import Outbox
from memberships_export.adapters.texts.catalogues import Catalogues
from memberships_export.adapters.texts.mail_writer import TemplateMailWriter
from memberships_export.adapters.texts.zone_names import zone_names
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Export
from memberships_export.domain.mail.brand import Brand
from memberships_export.domain.mail.intent import parse_send_intent
from memberships_export.domain.mail.mail import Mail, SendResult
from memberships_export.domain.mail.sender import Sender
from memberships_export.ports import Mailer, Ports
from memberships_export.service.assembly import assemble
from memberships_export.service.user.request import Wish
from memberships_export.service.worker.run import GiveBack
from tests.factories import a_membership
from tests.fakes.memory import FakeClock, ListSource
from tests.fakes.world import ACCEPTED, LINKS
from tests.readers import readers

_POLICY = Policy(page_size=3, max_exports_per_hour=1000)
_ROWS = (1, 7, 2, 4, 3)  # of each user: some fit on a page, some do not
_SHELF = [a_membership(n * 10 + i + 1, userId=f"user-{n}") for n, rows in enumerate(_ROWS) for i in range(rows)]
_TEXTS = (Catalogues(), TemplateMailWriter(Brand(), strict=True), readers())


@dataclass
class Machine:
    """The service on one folder."""

    folder: Path
    mailer: Mailer
    clock: FakeClock

    def __post_init__(self) -> None:
        self.database = Database(self.folder / "exports.db")
        self.ports = self.over(self.database)
        self.services = assemble(self.ports, _POLICY, LINKS)

    def over(self, database: Database) -> Ports:
        translations, mail_writer, profiles = _TEXTS
        store = SqliteExportStore(database, self.clock)
        queue = SqliteExportQueue(database, clock=self.clock, visibility=timedelta(minutes=5), max_receives=5)
        return Ports(
            store=store,
            state=SqliteServiceState(database),
            desk=SqliteExportDesk(database),
            queue=queue,
            intake=SqliteIntake(database, store, queue),
            dead_letters=SqliteDeadLetters(database, clock=self.clock),
            files=Folder(self.folder / "files"),
            erasures=SqliteErasures(database),
            mailer=self.mailer,
            source=ListSource(_SHELF),
            clock=self.clock,
            readers=profiles,
            translations=translations,
            mail_writer=mail_writer,
            zone_names=zone_names,
            audit=SqliteAuditLog(database),
            audit_key=lambda: "key",
        )

    def accept(self, number: int) -> Export:
        return self.services.request(Wish(user_id=f"user-{number}", email=f"member{number}@example.org")).export

    def work(self) -> None:
        while received := self.ports.queue.receive(0):
            disposition = self.services.run(received, lambda: False)
            if isinstance(disposition, GiveBack):
                self.ports.queue.give_back(received, disposition.delay_seconds)
            else:
                self.ports.queue.acknowledge(received)

    def pass_time(self) -> None:
        self.clock.advance(timedelta(minutes=20))
        self.services.sweep()
        self.work()

    def export(self, export_id: str) -> Export | None:
        return self.ports.store.get(export_id)

    def records(self) -> dict[str, Export]:
        """Read all records there are."""
        rows = self.database.read("SELECT export_id FROM exports ORDER BY requested_at, export_id")
        found = (self.ports.store.get(row["export_id"]) for row in rows)
        return {export.export_id: export for export in found if export}

    def has_whole(self, export: Export) -> bool:
        """Tell whether the file that the record points to is there as it was written."""
        assert export.file is not None
        return sha256(self.ports.files.read(export.file.key) or b"").hexdigest() == export.file.sha256

    def close(self) -> None:
        self.database.close()


class MailService:
    """A mailer outside of the machine: what it has got it keeps, and it does not know a mail again."""

    repeatable = False

    def __init__(self, answers: list[SendResult], seen: Callable[[Mail], None]) -> None:
        self._answers, self._seen = answers, seen

    def send(self, mail: Mail, still_wanted: Callable[[], bool] = lambda: True) -> SendResult:  # noqa: ARG002  (the port's)
        self._seen(mail)
        return self._answers.pop(0) if self._answers else ACCEPTED


def outbox_in(folder: Path, clock: FakeClock) -> Outbox:
    """Make the mailer whose mails are files beside the others, and so may be lost with them."""
    return Outbox(folder / "outbox", sender=Sender(address="exports@example.org", name="Exports"), clock=clock)


def mails_in(folder: Path) -> dict[str, list[str]]:
    """Read the mails in the outbox: the SHA-256 of what is attached to each, by export."""
    attached = defaultdict[str, list[str]](list)
    for path in (folder / "outbox").glob("*.eml"):
        attached[path.name[:36]].append(_attached_to(path.read_bytes()))
    return attached


@cache
def _attached_to(mail: bytes) -> str:
    (part,) = (part for part in message_from_bytes(mail).walk() if part.get_filename())
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return sha256(content).hexdigest()


@dataclass
class Seen:
    """What was told to those outside, each with the moment by the clock of the disk."""

    answered: list[tuple[int, str]] = field(default_factory=list)  # with 202
    mailed: list[tuple[int, Mail]] = field(default_factory=list)

    def answered_by(self, moment: int) -> set[str]:
        """Return the exports that were answered with 202 by then."""
        return {export_id for at, export_id in self.answered if at <= moment}

    def mailed_by(self, moment: int) -> dict[str, list[int]]:
        """Return the numbers of the sends that had left by then, by export."""
        return sends_of([mail for at, mail in self.mailed if at <= moment])


def sends_of(mails: list[Mail]) -> dict[str, list[int]]:
    """Return the numbers of sends by export."""
    numbers = defaultdict[str, list[int]](list)
    for mail in mails:
        if sent := parse_send_intent(mail.intent):
            numbers[sent[0]].append(sent[1])
    return numbers
