"""What cannot be done for one export must cost the others nothing, and a known fact is not forgotten."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from memberships_export.domain.errors import MembershipsContractBroken, StorageUnavailable
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.mail.mail import Mail, SendResult
from memberships_export.domain.messages.message import Message
from tests.fakes.memory import ListSource, MemoryFiles, MemoryStore
from tests.fakes.world import ACCEPTED, World


class FilesThatStay(MemoryFiles):
    """`tried`: how often somebody tried to delete something."""

    tried = 0

    def delete_folder(self, prefix: str) -> None:
        self.tried += 1
        raise StorageUnavailable(f"permission denied for {prefix}")


def test_files_that_cannot_be_deleted_keep_no_other_export_from_being_swept() -> None:
    world = World(1)
    files = world.files = FilesThatStay()
    world.services = world.over(world.ports)
    old = [world.request(user_id=f"old-{number}") for number in range(250)]
    world.work()
    world.clock.advance(timedelta(days=7, seconds=1))
    new = world.request()
    world.queue.lose_all()
    world.clock.advance(timedelta(seconds=31))
    first = world.over(replace(world.ports, store=OneBatch(world.store)))
    for _ in range(2):
        first.sweep()
    assert files.tried == len(old)
    world.work()
    assert world.export(new).status is ExportStatus.COMPLETED
    for _ in range(3):
        world.services.sweep()
    assert files.tried == len(old), "each is left alone for a while"
    assert {world.export(export).wake_at for export in old} == {world.clock() + timedelta(minutes=15)}


class OneBatch:
    """A sweeper that has the time for one batch only: what is due again at once would fill it for ever."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.create, self.get, self.replace, self.delete = store.create, store.get, store.replace, store.delete
        self.list_for_user, self.take_turn, self.check = store.list_for_user, store.take_turn, store.check
        self.find_by_message_id = store.find_by_message_id
        self.ids_of_user, self.erase, self.forget_turns = store.ids_of_user, store.erase, store.forget_turns

    def due(self, now: datetime, limit: int) -> Sequence[Export]:
        return self._store.due(now, limit)[: limit - 1]


@pytest.mark.parametrize("error", [StorageUnavailable("read-only"), OSError("a bug")])
def test_what_cannot_be_swept_is_put_off_whatever_it_is(error: Exception) -> None:
    world = World(source=ListSource([], {1: MembershipsContractBroken()}))

    def broken(*_: object) -> None:
        raise error

    world.request("failed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.dead_letters, "add", broken)
        with pytest.raises(type(error)):
            world.work()
    world.request("lost")
    world.queue.lose_all()
    world.clock.advance(timedelta(seconds=31))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.dead_letters, "add", broken)
        patch.setattr(world.queue, "send", broken)
        assert world.services.sweep() == {}
    later = {export.user_id: export.wake_at for export in world.store.records.values()}
    assert later["failed"] == world.clock(), "the next pass takes it, behind all that was due before"
    assert later["lost"] is not None
    assert later["lost"] > world.clock(), "noted as sent before it was"
    world.pass_time()
    assert {export.status for export in world.store.records.values()} == {ExportStatus.FAILED, ExportStatus.COMPLETED}


class StoreThatHiccups(MemoryStore):
    hiccup = False

    def replace(self, old: Export, new: Export) -> Export | None:
        if self.hiccup:
            self.hiccup = False
            raise StorageUnavailable("locked")
        return super().replace(old, new)


def test_an_accepted_mail_is_noted_although_the_first_write_fails() -> None:
    world = World()
    store = StoreThatHiccups()
    world.store = store

    def accept(_: Mail) -> SendResult:
        store.hiccup = True
        return ACCEPTED

    world.mailer.script.append(accept)
    world.services = world.over(world.ports)
    export = world.request()
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert len(world.mails) == 1


def test_a_file_that_is_mailed_again_in_the_moment_it_expires_is_not_deleted() -> None:
    world = World()
    export = world.request()
    world.work()

    class ResentMeanwhile(MemoryStore):
        def due(self, now: object, limit: int) -> list[Export]:
            found = list(MemoryStore.due(self, now, limit))  # type: ignore[arg-type]
            world.services.resend(export.export_id, "user-1", "member@example.org")
            return found

    store = ResentMeanwhile()
    store.records = world.store.records
    world.clock.advance(timedelta(days=7, seconds=1))
    world.over(replace(world.ports, store=store)).sweep()
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert any(key.startswith("csv/") for key in world.files.content)


PLAIN = Message("export", {"userId": "user-1", "email": "member@example.org"})


def test_a_plain_message_sent_twice_while_the_first_is_worked_on_gives_one_export() -> None:
    world = World()
    world.queue.send(PLAIN)
    world.queue.send(PLAIN)
    world.source.before = {1: world.work_once}
    world.work_once()
    world.pass_time(timedelta(minutes=10), steps=2)
    assert len(world.store.records) == len(world.mails) == 1


def test_a_plain_message_to_another_address_than_the_export_under_way_is_a_dead_letter() -> None:
    world = World()
    world.request()
    world.queue.lose_all()
    world.queue.send(Message("export", {"userId": "user-1", "email": "other@example.org"}))
    world.work()
    assert "another user or address" in world.dead_letters.letters[0].message.attributes["reason"]


def test_a_user_id_that_no_queue_takes_is_a_dead_letter_at_once() -> None:
    world = World()
    world.queue.send(Message('{"userId": "a\\u0000b", "email": "member@example.org"}'))
    world.work()
    assert not world.store.records
    assert "cannot be printed" in world.dead_letters.letters[0].message.attributes["reason"]
