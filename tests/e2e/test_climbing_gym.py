"""The main job on real input: the 800 memberships of a climbing gym, imported, exported and mailed, value by value."""

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest

from rig.services.fake_memberships import FakeMemberships
from rig.services.fake_sendgrid import FakeSendGrid
from tests.life.live_service import LiveService

PROGRAM = str(Path(sys.executable).parent / "memberships-export")
COLUMNS = {
    "id": "membership_id",
    "name": "membership_type",
    "recurringPrice": "price_per_month",
    "validFrom": "start_date",
    "validUntil": "end_date",
    "state": "status",
}
SET = {"userId": "user-1", "billingInterval": "month", "billingPeriods": "1", "assignedBy": "front desk"}
LABELS = {
    "id": "ID",
    "name": "Name",
    "recurringPrice": "Price",
    "state": "Status",
    "userId": "User ID",
    "validFrom": "Valid from",
    "validUntil": "Valid until",
    "assignedBy": "Assigned by",
    "billingInterval": "Billing interval",
    "billingPeriods": "Billing periods",
}


def import_arguments(file: Path) -> list[str]:
    columns = [part for field, column in COLUMNS.items() for part in ("--column", f"{field}={column}")]
    constants = [part for field, value in SET.items() for part in ("--set", f"{field}={value}")]
    return [PROGRAM, "import", str(file), *columns, *constants]


@pytest.mark.parametrize("page_size", ["100", "5000"])
def test_all_memberships_of_the_gym_arrive_by_mail_with_their_exact_values(
    shared_data: Path, tmp_path: Path, page_size: str
) -> None:
    file = shared_data / "climbing_gym" / "memberships.csv"
    with FakeMemberships(0) as nobody, FakeSendGrid() as sendgrid:
        service = LiveService(tmp_path, nobody, sendgrid, MEMBERSHIPS_URL="", PAGE_SIZE=page_size)
        environ = {"PATH": "/usr/bin:/bin", **service.environ}
        subprocess.run(import_arguments(file), env=environ, check=True, capture_output=True)
        try:
            service.start()
            answer = service.request()
            assert answer is not None
            done = service.completed(answer["exportId"])
        finally:
            service.stop()
        (mail,) = sendgrid.accepted
        assert mail.attachment is not None

    assert done["status"] == "completed"
    mailed = list(csv.DictReader(io.StringIO(mail.attachment.decode("utf-8-sig"), newline="")))
    gym = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert len(mailed) == len(gym) == done["file"]["rows"] == 800
    for row, original in zip(mailed, gym, strict=True):
        assert {field: row[LABELS[field]] for field in COLUMNS} == {f: original[c] for f, c in COLUMNS.items()}
        assert {field: row[LABELS[field]] for field in SET} == SET
        assert row["Payment method"] == ""
