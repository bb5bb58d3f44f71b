"""Many workers, many copies of every message, one real database: every export ends, and mails once."""

import random
from datetime import timedelta
from pathlib import Path
from threading import Thread

from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.folder import Folder
from memberships_export.adapters.embedded.sqlite_queue import SqliteDeadLetters, SqliteExportQueue
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.bootstrap.parts import utc_now
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import ExportStatus
from memberships_export.domain.messages.wake import wake_message
from memberships_export.ports import Ports
from memberships_export.service.assembly import Services, assemble
from memberships_export.service.user.request import Wish
from memberships_export.service.worker.run import GiveBack
from tests.factories import a_membership
from tests.fakes.memory import ListSource, ScriptedMailer
from tests.fakes.world import LINKS

EXPORTS, WORKERS = 40, 4


def ports_in(folder: Path, mailer: ScriptedMailer) -> Ports:
    database = Database(folder / "exports.db")
    rows = [a_membership(n * 10 + i, userId=f"user-{n}") for n in range(EXPORTS) for i in range(1, 8)]
    return Ports(
        store=SqliteExportStore(database),
        queue=SqliteExportQueue(database, clock=utc_now, visibility=timedelta(minutes=5), max_receives=5),
        dead_letters=SqliteDeadLetters(database, clock=utc_now),
        files=Folder(folder / "files"),
        mailer=mailer,
        source=ListSource(rows),
        clock=utc_now,
    )


def drain(ports: Ports, services: Services) -> None:
    """Work like a worker thread until nothing is visible. A message that was given back stays for the sweeper."""
    while received := ports.queue.receive(0):
        disposition = services.run(received, lambda: False)
        if isinstance(disposition, GiveBack):
            ports.queue.give_back(received, disposition.delay_seconds)
        else:
            ports.queue.acknowledge(received)


def test_every_message_up_to_five_times_in_any_order_to_four_workers_is_one_mail_each(tmp_path: Path) -> None:
    mailer = ScriptedMailer()
    ports = ports_in(tmp_path, mailer)
    services = assemble(ports, Policy(page_size=3), LINKS)
    wishes = [Wish(user_id=f"user-{n}", email=f"member{n}@example.org") for n in range(EXPORTS)]
    exports = [services.request(wish).export for wish in wishes]
    copies = [wake_message(export) for export in exports for _ in range(random.Random(7).randint(0, 4))]  # noqa: S311
    random.Random(8).shuffle(copies)  # noqa: S311
    for copy in copies:
        ports.queue.send(copy)

    threads = [Thread(target=drain, args=(ports, services)) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    ended = [ports.store.get(export.export_id) for export in exports]
    assert all(export is not None and export.status is ExportStatus.COMPLETED for export in ended)
    assert sorted(mail.to for mail in mailer.mails) == sorted(wish.email for wish in wishes)
    assert list(ports.dead_letters.browse(10)) == []
