"""SIGKILL while a workbook or JSON Lines is written or mailed: the file made again is the same, and is mailed once."""

import signal
from hashlib import sha256
from pathlib import Path

import pytest

from memberships_export.domain.formats.options import Format, Options
from tests.life.kinds_of_files import rows_in
from tests.life.live_service import live_service
from tests.life.test_killed_anywhere import evidence_wait

ROWS = 30  # three pages
# Where it dies, and how often a whole file is written in the end.
POINTS = {
    "in the middle of the file": ("sink.write:after:3", 1),
    "file written, record does not know": ("files.written:after:1", 2),
    "file read to be mailed, record still does not know": ("files.read:after:4", 2),
    "send intent written, nothing sent": ("store.replace:after:5", 1),
    "mail accepted, record does not know": ("mailer.send:after:1", 1),
}


@pytest.mark.parametrize("kind", [Format.XLSX, Format.JSONL])
@pytest.mark.parametrize("point", POINTS, ids=[name.replace(" ", "-") for name in POINTS])
def test_killed_at(kind: Format, point: str, tmp_path: Path) -> None:
    with live_service(tmp_path, ROWS, EVIDENCE_WAIT_SECONDS=evidence_wait(point)) as service:
        service.start(kill_at=POINTS[point][0])
        answer = service.request(f"?format={kind}&language=de&columns=name,id")
        assert service.wait_for_death() == -signal.SIGKILL

        service.start()
        service.tell_events()
        again = service.request(f"?format={kind}&language=de&columns=name,id") if answer is None else answer
        assert again is not None
        done = service.completed(again["exportId"])

        assert done["status"] == "completed", service.log()
        (mail,) = service.sendgrid.accepted
        assert mail.attachment is not None
        assert done["file"]["sha256"] == sha256(mail.attachment).hexdigest()
        rows = rows_in(mail.attachment, Options(format=kind))
        assert [int(row[1]) for row in rows[1:]] == list(range(1, ROWS + 1))
        files = [path.read_bytes() for path in (tmp_path / "data" / "files").glob(f"csv/*/*.{kind}")]
        assert len(files) == POINTS[point][1]
        assert set(files) == {mail.attachment}, "not a byte differs"
