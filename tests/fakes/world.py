"""The whole service over in-memory ports, with time that stands still until a test moves it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from memberships_export.adapters.texts.catalogues import Catalogues
from memberships_export.adapters.texts.mail_writer import TemplateMailWriter
from memberships_export.adapters.texts.zone_names import zone_names
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Evidence, Export
from memberships_export.domain.formats.options import Options
from memberships_export.domain.formats.said import say
from memberships_export.domain.mail.brand import Brand
from memberships_export.domain.mail.mail import Mail, SendResult
from memberships_export.domain.messages.message import Received
from memberships_export.domain.source.reader import Reader
from memberships_export.ports import MembershipSource, Ports
from memberships_export.service.assembly import Services, assemble
from memberships_export.service.links import DownloadLinks
from memberships_export.service.user.request import Wish
from memberships_export.service.worker.run import GiveBack
from tests.factories import a_membership
from tests.fakes.memory import (
    FakeClock,
    ListSource,
    MemoryAuditLog,
    MemoryDeadLetters,
    MemoryDesk,
    MemoryErasures,
    MemoryFiles,
    MemoryQueue,
    MemoryServiceState,
    MemoryStore,
    ScriptedMailer,
)
from tests.readers import readers

Script = Sequence[SendResult | Callable[[Mail], SendResult]]
LINKS = DownloadLinks(secret=lambda: "s" * 32, public_url="https://exports.example.org")

ACCEPTED = SendResult(evidence=Evidence.ACCEPTED, message_id="m-1")
REFUSED_FOR_NOW = SendResult(evidence=Evidence.REFUSED, detail="429 too many requests")
REFUSED_FOR_GOOD = SendResult(evidence=Evidence.REFUSED, detail="400 bad request", permanent=True)
TOO_LARGE = SendResult(evidence=Evidence.REFUSED, detail="413 too large", too_large=True)
DOUBTFUL = SendResult(evidence=Evidence.DOUBTFUL, detail="500")
SILENT = SendResult(evidence=Evidence.SILENT, detail="timeout")


class World:
    """`rows` are what the memberships API has; `mails` is the mailer's script."""

    def __init__(
        self,
        rows: int | Sequence[Mapping[str, Any]] = 7,
        *,
        mails: Script = (),
        source: MembershipSource | None = None,
        current: Reader | None = None,
        repeatable: bool = False,
        **policy: Any,  # noqa: ANN401  (fields of Policy)
    ) -> None:
        self.policy = replace(Policy(page_size=3), **policy)
        self.clock = FakeClock()
        self.store = MemoryStore()
        self.state = MemoryServiceState()
        self.dead_letters = MemoryDeadLetters(self.clock)
        self.queue = MemoryQueue(self.clock, self.dead_letters)
        self.files = MemoryFiles()
        self.audit = MemoryAuditLog()
        self.erasures = MemoryErasures()
        self.mailer = ScriptedMailer(mails, repeatable=repeatable)
        made = [a_membership(n + 1) for n in range(rows)] if isinstance(rows, int) else rows
        self.source = cast("ListSource", source) if source else ListSource(made)
        self.readers = readers(current)
        self.services = self.over(self.ports)

    @property
    def ports(self) -> Ports:
        return Ports(
            store=self.store,
            state=self.state,
            desk=MemoryDesk(self.store),
            queue=self.queue,
            dead_letters=self.dead_letters,
            files=self.files,
            erasures=self.erasures,
            mailer=self.mailer,
            source=self.source,
            clock=self.clock,
            readers=self.readers,
            translations=Catalogues(),
            mail_writer=TemplateMailWriter(Brand(), strict=True),
            zone_names=zone_names,
            audit=self.audit,
            audit_key=lambda: "key of the pseudonyms",
        )

    def over(self, ports: Ports) -> Services:
        """Wire the use cases over these ports (a test may have wrapped some)."""
        return assemble(ports, self.policy, LINKS)

    def request(self, user_id: str = "user-1", options: Options = Options()) -> Export:
        return self.services.request(Wish(user_id=user_id, email="member@example.org", said=say(options))).export

    def work_once(self, services: Services | None = None, should_stop: Callable[[], bool] = lambda: False) -> bool:
        """Let a worker take one message, as the worker loop does; false when there is none."""
        received = self.queue.receive(0)
        if received is None:
            return False
        self.settle_message(received, (services or self.services).run(received, should_stop))
        return True

    def settle_message(self, received: Received, disposition: object) -> None:
        if isinstance(disposition, GiveBack):
            self.queue.give_back(received, disposition.delay_seconds)
        else:
            self.queue.acknowledge(received)

    def work(self) -> None:
        """Work until the queue shows no message."""
        while self.work_once():
            pass

    def pass_time(self, by: timedelta = timedelta(minutes=20), steps: int = 1) -> None:
        """Move the clock, let the sweeper and a worker do what has become due; so many times."""
        for _ in range(steps):
            self.clock.advance(by)
            self.services.sweep()
            self.work()

    def export(self, export: Export) -> Export:
        """Read the record as it is now."""
        return self.store.records[export.export_id]

    @property
    def mails(self) -> list[Mail]:
        """Mails with the file (or a link to it) that were handed to the mailer."""
        return [mail for mail in self.mailer.mails if not mail.intent.endswith(":failure")]

    @property
    def failure_mails(self) -> list[Mail]:
        return [mail for mail in self.mailer.mails if mail.intent.endswith(":failure")]


def attachment(mail: Mail) -> bytes:
    assert mail.attachment is not None
    return mail.attachment.content
