"""Trouble that passes is waited for; what does not ends in a failure that somebody hears of."""

from datetime import timedelta

import pytest

from memberships_export.domain.errors import (
    ForeignRows,
    MembershipsContractBroken,
    StorageUnavailable,
)
from memberships_export.domain.export.record import ExportStatus, Owed
from memberships_export.domain.messages.message import Message
from tests.factories import a_membership
from tests.fakes.memory import ListSource, MemoryFiles
from tests.fakes.world import World

ROWS = [a_membership(n + 1) for n in range(7)]


class BrokenFiles(MemoryFiles):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error: Exception | None = error

    def put_once(self, key: str, content: bytes) -> bool:
        if self.error:
            raise self.error
        return super().put_once(key, content)


def test_a_full_disk_is_waited_for() -> None:
    world = World()
    world.files = BrokenFiles(StorageUnavailable("The disk is full."))
    world.services = world.over(world.ports)
    export = world.request()
    world.work()
    waiting = world.export(export)
    assert waiting.trouble is not None
    assert waiting.trouble.reason == "The disk is full."
    world.files.error = None
    world.pass_time()
    assert world.export(export).status is ExportStatus.COMPLETED


def test_a_bug_is_retried_five_times_then_failed_without_its_details_on_the_record(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.files = BrokenFiles(KeyError("member@example.org"))
    world.services = world.over(world.ports)
    export = world.request()
    world.work()
    assert world.export(export).status is ExportStatus.WAITING
    world.pass_time(steps=8)
    failed = world.export(export)
    assert failed.failure is not None
    assert (failed.failure.code, failed.claims) == ("no_progress", 5)
    assert "KeyError" in failed.failure.reason
    assert "member@example.org" not in failed.failure.reason
    assert "Traceback" in caplog.text


def test_a_failed_export_is_a_dead_letter_with_reasons_and_no_row_data() -> None:
    world = World(source=ListSource(ROWS, {2: ForeignRows()}))
    export = world.request()
    world.work()
    (letter,) = world.dead_letters.letters
    attributes = dict(letter.message.attributes)
    assert attributes.pop("failedAt") == world.clock().isoformat()
    assert attributes == {
        "userId": "user-1",
        "email": "member@example.org",
        "exportId": export.export_id,
        "stage": "fetch",
        "errorCode": "foreign_rows",
        "reason": "The memberships API sent memberships of another user.",
        "attempts": "1",
    }
    assert world.export(export).owed == ()


def test_what_a_failed_export_owes_is_paid_by_the_sweeper_when_the_worker_cannot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(source=ListSource(ROWS, {1: MembershipsContractBroken()}))
    export = world.request()

    def unavailable(message: Message) -> None:
        raise StorageUnavailable(message.body[:1])

    with monkeypatch.context() as patch:
        patch.setattr(world.dead_letters, "add", unavailable)
        with pytest.raises(StorageUnavailable):
            world.work()
    assert world.export(export).owed == (Owed.DEAD_LETTER, Owed.FAILURE_MAIL)
    world.pass_time(timedelta(minutes=6))
    assert world.export(export).owed == ()
    assert len(world.dead_letters.letters) == 1
    assert len(world.failure_mails) == 1


def test_a_bug_is_waited_for_under_a_code_of_its_own_and_its_text_stays_in_the_log() -> None:
    world = World(source=ListSource(ROWS, {1: KeyError("a member's name")}))
    export = world.request()
    world.work()
    waiting = world.export(export)
    assert waiting.status is ExportStatus.WAITING
    assert waiting.trouble is not None
    assert waiting.trouble.code == "internal_error"
    assert waiting.trouble.reason == "Unexpected error KeyError; see the service's log."
