"""Many workers, many copies of every message, one real database: every export ends, and mails once."""

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.folder import Folder
from memberships_export.adapters.embedded.service_state import SqliteServiceState
from memberships_export.adapters.embedded.sqlite_desk import SqliteExportDesk
from memberships_export.adapters.embedded.sqlite_erasures import SqliteErasures
from memberships_export.adapters.embedded.sqlite_queue import SqliteDeadLetters, SqliteExportQueue
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.adapters.texts.catalogues import Catalogues
from memberships_export.adapters.texts.mail_writer import TemplateMailWriter
from memberships_export.adapters.texts.zone_names import zone_names
from memberships_export.bootstrap.parts import utc_now
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import ExportStatus
from memberships_export.domain.mail.brand import Brand
from memberships_export.domain.messages.wake import wake_message
from memberships_export.ports import Ports
from memberships_export.service.assembly import Services, assemble
from memberships_export.service.user.request import Wish
from memberships_export.service.worker.run import GiveBack
from tests.factories import a_membership
from tests.fakes.memory import ListSource, MemoryAuditLog, MemoryDeadLetters, MemoryQueue, ScriptedMailer
from tests.fakes.shelf import profile
from tests.fakes.world import LINKS
from tests.life.moving_rows import MovingSource
from tests.readers import a_reader, readers

EXPORTS, WORKERS = 40, 4


def own_source() -> ListSource:
    return ListSource([a_membership(n * 10 + i, userId=f"user-{n}") for n in range(EXPORTS) for i in range(1, 8)])


def other_source() -> MovingSource:
    return MovingSource([], [f"user-{n}" for n in range(EXPORTS)], 7)


def calls_of(source: ListSource) -> int:
    shelves = source.shelves.values() if isinstance(source, MovingSource) else ()
    return len(source.calls) + sum(len(shelf.calls) for shelf in shelves)


def ports_in(folder: Path, mailer: ScriptedMailer, source: ListSource, text: str) -> Ports:
    database = Database(folder / "exports.db")
    return Ports(
        store=SqliteExportStore(database, utc_now),
        state=SqliteServiceState(database),
        desk=SqliteExportDesk(database),
        queue=SqliteExportQueue(database, clock=utc_now, visibility=timedelta(minutes=5), max_receives=5),
        dead_letters=SqliteDeadLetters(database, clock=utc_now),
        files=Folder(folder / "files"),
        erasures=SqliteErasures(database),
        mailer=mailer,
        source=source,
        clock=utc_now,
        readers=readers(a_reader(text) if text else None),
        translations=Catalogues(),
        mail_writer=TemplateMailWriter(Brand(), strict=True),
        zone_names=zone_names,
        audit=MemoryAuditLog(),
        audit_key=lambda: "key",
    )


def drain(ports: Ports, services: Services) -> None:
    """Work like a worker thread until nothing is visible. A message that was given back stays for the sweeper."""
    while received := ports.queue.receive(0):
        disposition = services.run(received, lambda: False)
        if isinstance(disposition, GiveBack):
            ports.queue.give_back(received, disposition.delay_seconds)
        else:
            ports.queue.acknowledge(received)


@pytest.mark.parametrize(
    "source, text", [(own_source(), ""), (other_source(), profile("page_number"))], ids=["own", "page_number"]
)
def test_every_message_up_to_five_times_in_any_order_to_four_workers_is_one_mail_each(
    source: ListSource, text: str, tmp_path: Path
) -> None:
    mailer = ScriptedMailer()
    ports = ports_in(tmp_path, mailer, source, text)
    services = assemble(ports, Policy(page_size=3, lease=timedelta(hours=1)), LINKS)
    elsewhere = assemble(replace(ports, queue=MemoryQueue(utc_now, MemoryDeadLetters(utc_now))), Policy(), LINKS)
    wishes = [Wish(user_id=f"user-{n}", email=f"member{n}@example.org") for n in range(EXPORTS)]
    exports = [elsewhere.request(wish).export for wish in wishes]
    # Of one half all copies come together, so that workers meet at them; of the other they come in any order.
    together = [wake_message(export) for export in exports[: EXPORTS // 2] for _ in range(WORKERS)]
    apart = [wake_message(export) for export in exports[EXPORTS // 2 :] for _ in range(random.Random(7).randint(1, 5))]  # noqa: S311
    random.Random(8).shuffle(apart)  # noqa: S311
    for copy in [*together, *apart]:
        ports.queue.send(copy)

    threads = [Thread(target=drain, args=(ports, services)) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    ended = [found for export in exports if (found := ports.store.get(export.export_id))]
    assert [export.status for export in ended] == [ExportStatus.COMPLETED] * EXPORTS
    assert {export.claims for export in ended} == {1}, "while one works on it, no other does"
    assert calls_of(source) == EXPORTS * 3, "no page is fetched twice"
    assert sorted(mail.to for mail in mailer.mails) == sorted(wish.email for wish in wishes)
    assert list(ports.dead_letters.browse(10)) == []
