"""What the sweeper should do, by the record alone."""

from datetime import timedelta

import pytest

from memberships_export.domain.export.record import Export, ExportStatus, Lease, Owed
from memberships_export.domain.export.sweeping import SweepAction, sweep_action
from tests.factories import REQUESTED_AT as NOW
from tests.factories import an_export

S, A = ExportStatus, SweepAction
PAST, FUTURE = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)


@pytest.mark.parametrize(
    "export, action",
    [
        (an_export(status=S.QUEUED, wake_at=PAST), A.NUDGE),
        (an_export(status=S.QUEUED, wake_at=NOW), A.NUDGE),
        (an_export(status=S.QUEUED, wake_at=FUTURE), A.NOTHING),
        (an_export(status=S.WAITING, wake_at=PAST), A.NUDGE),
        (an_export(status=S.RUNNING, wake_at=PAST, lease=Lease("w", PAST)), A.NUDGE),
        (an_export(status=S.RUNNING, wake_at=PAST, lease=Lease("w", FUTURE)), A.NOTHING),
        (an_export(status=S.FAILED, wake_at=PAST, owed=(Owed.DEAD_LETTER,), files_until=PAST), A.SETTLE),
        (an_export(status=S.FAILED, wake_at=PAST, files_until=PAST), A.DELETE_FILES),
        (an_export(status=S.COMPLETED, wake_at=PAST, files_until=PAST, expires_at=PAST), A.DELETE_FILES),
        (an_export(status=S.COMPLETED, wake_at=PAST, files_until=FUTURE), A.NOTHING),
        (an_export(status=S.CANCELLED, wake_at=PAST, expires_at=PAST), A.DELETE_RECORD),
        (an_export(status=S.CANCELLED, wake_at=PAST, expires_at=NOW), A.DELETE_RECORD),
        (an_export(status=S.COMPLETED, wake_at=NOW, files_until=NOW), A.DELETE_FILES),
        (an_export(status=S.CANCELLED, wake_at=PAST, expires_at=FUTURE), A.NOTHING),
        (an_export(status=S.COMPLETED, wake_at=None), A.NOTHING),
    ],
)
def test_the_record_decides(export: Export, action: SweepAction) -> None:
    assert sweep_action(export, NOW) is action
