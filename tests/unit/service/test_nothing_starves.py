"""What cannot be done for one export must cost the others nothing, and a known fact is not forgotten."""

from dataclasses import replace
from datetime import timedelta

from memberships_export.domain.errors import MembershipsUnavailable, StorageUnavailable
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.mail.mail import Mail, SendResult
from memberships_export.domain.messages.message import Message
from tests.fakes.memory import MemoryFiles, MemoryStore
from tests.fakes.world import ACCEPTED, World


class FilesThatStay(MemoryFiles):
    def delete_folder(self, prefix: str) -> None:
        raise StorageUnavailable(f"permission denied for {prefix}")


def test_files_that_cannot_be_deleted_do_not_stop_the_sweeper() -> None:
    world = World(1)
    world.files = FilesThatStay()
    world.services = world.over(world.ports)
    for number in range(200):
        world.request(user_id=f"old-{number}")
        world.work()
    world.clock.advance(timedelta(days=7, seconds=1))
    world.source.before = {len(world.source.calls) + 1: MembershipsUnavailable()}
    export = world.request()
    world.work_once()
    world.pass_time(timedelta(minutes=10), steps=6)
    assert world.export(export).status is ExportStatus.COMPLETED


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
            world.services.resend(export.export_id, "user-1")
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
