"""Records whose every field is filled, as far as their status allows: what a change forgets to clear is seen."""

from dataclasses import replace
from datetime import timedelta

from memberships_export.domain.errors import FileMissing
from memberships_export.domain.export.held import Holder
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import (
    Entry,
    Evidence,
    ExportStatus,
    Failure,
    Happened,
    Lease,
    Owed,
    Send,
    Stage,
    StoredFile,
    Trouble,
)
from memberships_export.domain.formats.options import Preset, of_preset
from memberships_export.domain.source.progress import Progress
from tests.factories import REQUESTED_AT, an_export

S = ExportStatus
NOW = REQUESTED_AT + timedelta(minutes=1)
POLICY = Policy(
    lease=timedelta(seconds=90),
    nudge_after=timedelta(seconds=10),
    longest_back_off=timedelta(minutes=15),
    keep_files=timedelta(days=7),
    keep_records=timedelta(days=30),
)
BY = Holder(4, NOW, POLICY)
LEASE = Lease(owner="process-1.me", until=NOW + timedelta(seconds=30))
RENEWED = Lease(owner="process-1.me", until=NOW + timedelta(seconds=90))
TROUBLE = Trouble(code="memberships_unavailable", reason="down", since=REQUESTED_AT, count=3)
MISSED = Trouble(code=FileMissing.code, reason="gone", since=REQUESTED_AT, count=3)
MISSED_AGAIN = replace(MISSED, reason=FileMissing().reason, count=4, same_since=NOW)
FILE = StoredFile(key="csv/1/1.csv", name="m.csv", rows=1, bytes=2, sha256="00", expires_at=NOW + timedelta(days=1))
OTHER_FILE = replace(FILE, key="csv/1/4.csv", rows=9)
PROGRESS = Progress(pages=2, rows=6, cursor="6:7", total=7)
SENDS = (
    Send(number=1, mailing=1, started_at=REQUESTED_AT, evidence=Evidence.ACCEPTED),
    Send(number=2, mailing=2, started_at=REQUESTED_AT),
)
WAITED_FOR = Trouble(code="x", reason="y", since=NOW, count=1)
UNTIL = NOW + timedelta(hours=3)

RUNNING = an_export(
    status=S.RUNNING,
    stage=Stage.DELIVER,
    options=of_preset(Preset.RAW),
    revision="r1",
    token=4,
    lease=LEASE,
    claims=3,
    stalled_claims=2,
    nudges=4,
    progress=PROGRESS,
    profile="0011223344556677",
    request_id="r-1",
    member_id="cus_1",
    file=FILE,
    mailing=2,
    link_generation=3,
    always_link=True,
    sends=SENDS,
    earlier_emails=("old@example.org",),
    trouble=TROUBLE,
    told="no_progress",
    started_at=REQUESTED_AT,
    wake_at=LEASE.until,
    timeline=(Entry(250, Happened.CLAIMED, "4"),),
)
QUEUED = replace(RUNNING, status=S.QUEUED, lease=None)
WAITING = replace(RUNNING, status=S.WAITING, lease=None, wake_at=NOW)
FAILED = replace(
    RUNNING,
    status=S.FAILED,
    lease=None,
    failure=Failure(stage=Stage.DELIVER, code="mail_refused", reason="r", at=REQUESTED_AT),
    owed=(Owed.DEAD_LETTER, Owed.FAILURE_MAIL),
    failure_mails=1,
    finished_at=REQUESTED_AT,
    files_until=NOW,
    expires_at=NOW + timedelta(days=9),
    wake_at=NOW,
)
COMPLETED = replace(FAILED, status=S.COMPLETED, failure=None, owed=())
CANCELLED = replace(COMPLETED, status=S.CANCELLED)

FINISHED = {
    "lease": None,
    "finished_at": NOW,
    "files_until": NOW + timedelta(days=7),
    "expires_at": NOW + timedelta(days=30),
}
