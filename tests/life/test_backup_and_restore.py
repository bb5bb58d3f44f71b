"""A backup of a service that works, and dies while it is copied: in another folder its exports go on and are mailed."""

from pathlib import Path
from typing import Any

from memberships_export.adapters.embedded.backup.making import Backup, make_backup
from memberships_export.adapters.embedded.backup.restoring import restore
from memberships_export.bootstrap.parts import utc_now
from rig.services.fake_memberships import FakeMemberships
from tests.life.live_service import PAGE_SIZE, LiveService, live_service

# A folder that was restored does not tell which process has died: its exports go on when their leases end.
NOBODY_KNOWS_WHO_DIED: dict[str, Any] = {"LEASE_SECONDS": "3", "VISIBILITY_SECONDS": "2"}


def fetching(service: LiveService[FakeMemberships]) -> str:
    """Ask for an export, and wait until its worker waits for the second page, as it does again and again."""
    service.memberships.follow("ok", "hang*")
    answer = service.request()
    assert answer is not None
    export_id = str(answer["exportId"])
    service.until(lambda: service.status(export_id)["progress"]["rows"] == PAGE_SIZE, "the first page to be on record")
    service.until(lambda: len(service.memberships.calls) == 2, "the second page to be asked for")
    return export_id


def kill(service: LiveService[FakeMemberships]) -> None:
    assert service.process is not None
    service.process.kill()
    service.process.wait()


def test_killed_while_it_is_copied_and_restored_it_goes_on_from_its_stored_page(tmp_path: Path) -> None:
    with live_service(tmp_path, 20, **NOBODY_KNOWS_WHO_DIED) as service:
        service.start()
        export_id = fetching(service)
        data, copied = service.settings.data_dir, list[int]()

        def die(done: int, _all: int) -> None:
            if not copied:
                kill(service)
            copied.append(done)

        make_backup(Backup(data=data, folder=tmp_path / "backup", program="1", at=utc_now()), die)
        data.rename(tmp_path / "lost")
        restored = restore(tmp_path / "backup", data, utc_now())
        service.memberships.follow()
        service.start()

        assert service.completed(export_id)["status"] == "completed", service.log()
        assert restored.maybe_mailed == 1
        first, *others = [call.cursor for call in service.memberships.calls]
        assert (first, set(others)) == (None, {"10-20"}), "the stored page is not fetched again"
        [mail] = service.sendgrid.accepted
        assert "second copy" in mail.text, "it says that it may be the second"


def test_mailed_after_the_backup_it_is_mailed_again_only_with_a_word_about_it(tmp_path: Path) -> None:
    with live_service(tmp_path, 20, **NOBODY_KNOWS_WHO_DIED) as service:
        service.start()
        export_id = fetching(service)
        data = service.settings.data_dir
        make_backup(Backup(data=data, folder=tmp_path / "backup", program="1", at=utc_now()))
        service.memberships.follow()
        kill(service)
        service.start()
        assert service.completed(export_id)["status"] == "completed", service.log()
        kill(service)

        data.rename(tmp_path / "lost")
        restore(tmp_path / "backup", data, utc_now())
        service.start()

        assert service.completed(export_id)["status"] == "completed", service.log()
        assert ["second copy" in mail.text for mail in service.sendgrid.accepted] == [False, True]
