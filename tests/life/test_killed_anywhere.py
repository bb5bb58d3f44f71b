"""SIGKILL at every step of an export's life, then a restart: completed, one mail, same file.

No page that was stored is fetched again; of those under way when the process died there is one at most.
"""

import signal
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest

from rig.services.fake_memberships import row
from rig.services.sendgrid_behaviour import ACCEPT_THEN_HANG
from rig.waiting import PATIENCE_SECONDS
from tests.factories import a_page
from tests.life.live_service import PAGE_SIZE, live_service
from tests.readers import own_file

ROWS = 30  # three pages

# The writes of an undisturbed export: 1 claim, 2 to 4 the pages, 5 rendered and send intent, 6 completed.
POINTS = {
    "before record and message are saved": "intake.take_in:before:1",
    "record and message saved, request not answered": "intake.take_in:after:1",
    "message received": "queue.receive:after:1",
    "claim not written": "store.replace:before:1",
    "claimed": "store.replace:after:1",
    "first page received, second asked for": "source.ask:after:1",
    "page received, not stored": "source.answer:after:1",
    "page stored, not checkpointed": "files.put_once:after:2",
    "page checkpointed": "store.replace:after:3",
    "in the middle of the file": "sink.write:after:3",
    "file written, record does not know": "files.written:after:1",
    "file read to be mailed, record still does not know": "files.read:after:4",
    "send intent not written": "store.replace:before:5",
    "send intent written, nothing sent": "store.replace:after:5",
    "mail accepted, record does not know": "mailer.send:after:1",
    "outcome written": "store.replace:after:6",
    "message not acknowledged": "queue.acknowledge:before:1",
    "message acknowledged": "queue.acknowledge:after:1",
}

# Which pages come twice: what was received and not stored, and what was under way.
TWICE: dict[str, list[str | None]] = {
    "first page received, second asked for": [None, "10-30"],
    "page received, not stored": ["10-30"],
    "page stored, not checkpointed": ["20-30"],
    "page checkpointed": ["20-30"],
}
WHILE_A_WORKER_BEGINS = "record and message saved, request not answered"
MAILED = "mail accepted, record does not know"


def evidence_wait(name: str) -> str:
    """In seconds: as long as it takes where there will be evidence, and no longer than needed where there is none."""
    return "3600" if name == MAILED else "1"


def expected_file() -> bytes:
    return own_file(a_page([row("user-1", n + 1) for n in range(ROWS)]))


@pytest.mark.parametrize("name", POINTS, ids=[name.replace(" ", "-") for name in POINTS])
def test_killed_at(name: str, tmp_path: Path) -> None:
    with live_service(tmp_path, ROWS, EVIDENCE_WAIT_SECONDS=evidence_wait(name)) as service:
        service.start(kill_at=POINTS[name])
        answer = service.request()
        assert service.wait_for_death() == -signal.SIGKILL

        service.start()
        service.tell_events()
        again = service.request() if answer is None else answer
        assert again is not None
        done = service.completed(again["exportId"])

        assert done["status"] == "completed", service.log()
        (mail,) = service.sendgrid.accepted
        assert mail.attachment == expected_file()
        assert done["file"]["sha256"] == sha256(expected_file()).hexdigest()
        least = ROWS // PAGE_SIZE + len(TWICE.get(name, []))
        service.until(lambda: len(service.memberships.calls) >= least, "a call that has outlived who made it")
        fetched = Counter(call.cursor for call in service.memberships.calls)
        assert set(fetched) == {None, "10-30", "20-30"}
        twice = [cursor for cursor, times in fetched.items() if times > 1]
        # Where a worker of the same process has the message already, nobody can say how far it is.
        assert twice == TWICE.get(name, []) or (name == WHILE_A_WORKER_BEGINS and len(twice) <= 2), fetched
        assert max(fetched.values()) <= 2


def test_killed_while_sendgrid_has_the_mail_and_does_not_answer(tmp_path: Path) -> None:
    with live_service(tmp_path, ROWS, (ACCEPT_THEN_HANG,), EVIDENCE_WAIT_SECONDS="3600") as service:
        service.start()
        answer = service.request()
        assert answer is not None
        service.until(lambda: service.sendgrid.accepted, "the mail")
        assert service.process is not None
        service.process.kill()
        service.process.wait()

        service.start()
        service.tell_events()
        assert service.completed(answer["exportId"])["status"] == "completed"
        assert len(service.sendgrid.mails) == 1


def test_sigterm_in_the_middle_of_a_fetch_that_hangs_is_obeyed_and_loses_nothing(tmp_path: Path) -> None:
    with live_service(tmp_path, ROWS, MEMBERSHIPS_TIMEOUT_SECONDS="300") as service:
        service.memberships.follow("ok", "hang")
        service.start()
        answer = service.request()
        assert answer is not None
        export_id = str(answer["exportId"])
        service.until(lambda: service.status(export_id)["progress"]["rows"] == PAGE_SIZE, "the first page on record")
        service.until(lambda: len(service.memberships.calls) == 2, "the second page")
        assert service.process is not None
        service.process.terminate()
        assert service.process.wait(PATIENCE_SECONDS) == 0
        service.start()
        assert service.completed(export_id)["status"] == "completed"
        assert [call.cursor for call in service.memberships.calls].count(None) == 1
