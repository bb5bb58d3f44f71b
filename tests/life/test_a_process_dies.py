"""SIGKILL in the middle of a fetch that hangs: who is left, or starts next, goes on without waiting for the lease."""

from datetime import timedelta
from pathlib import Path
from subprocess import Popen
from typing import Any

from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from rig.services.fake_memberships import FakeMemberships
from tests.fakes.memory import FakeClock
from tests.life.live_service import LiveService, live_service

LEASE = 3600
FIRST_PAGE = 10  # rows
SETTINGS: dict[str, Any] = {
    "LEASE_SECONDS": str(LEASE),
    "VISIBILITY_SECONDS": str(LEASE),
    "SWEEP_SECONDS": "600",
    "MEMBERSHIPS_TIMEOUT_SECONDS": "300",
}


def fetching(service: LiveService[FakeMemberships]) -> str:
    """Ask for an export, and wait until its worker waits for the second page."""
    service.memberships.follow("ok", "hang")
    answer = service.request()
    assert answer is not None
    export_id = str(answer["exportId"])
    service.until(lambda: service.status(export_id)["progress"]["rows"] == FIRST_PAGE, "the first page to be on record")
    service.until(lambda: len(service.memberships.calls) == 2, "the second page to be asked for")
    return export_id


def kill(process: Popen[bytes] | None) -> None:
    assert process is not None
    process.kill()
    process.wait()


def check_went_on_at_once(service: LiveService[FakeMemberships], export_id: str) -> None:
    assert service.completed(export_id)["status"] == "completed", service.log()
    database = Database(service.settings.data_dir / "exports.db")
    export = SqliteExportStore(database, FakeClock()).get(export_id)
    database.close()
    assert export is not None
    assert export.claims == 2
    assert export.started_at
    assert export.finished_at
    assert export.finished_at - export.started_at < timedelta(seconds=LEASE), "neither for the lease nor the message"
    assert [call.cursor for call in service.memberships.calls] == [None, "10-20", "10-20"]
    assert len(service.sendgrid.accepted) == 1


def test_the_next_start_goes_on_at_once(tmp_path: Path) -> None:
    with live_service(tmp_path, 20, **SETTINGS) as service:
        service.start()
        export_id = fetching(service)
        kill(service.process)

        service.start()

        check_went_on_at_once(service, export_id)
        [process] = (tmp_path / "data" / "processes").iterdir()
        assert process.stat().st_mode & 0o777 == 0o600


def test_the_other_worker_goes_on_at_once(tmp_path: Path) -> None:
    with live_service(tmp_path, 20, **SETTINGS) as service:
        service.start(role="api")
        first = service.start_worker()
        export_id = fetching(service)
        service.start_worker()
        service.until(lambda: service.log().count("Mails go to") == 3, "the other worker")  # each says so at its start

        kill(first)

        check_went_on_at_once(service, export_id)
