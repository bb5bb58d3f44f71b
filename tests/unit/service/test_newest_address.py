"""The file goes to the newest verified address of its user, until a mail has left."""

import logging
from dataclasses import replace

import pytest

from memberships_export.domain.errors import InvalidAddress
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.messages.wake import wake_message
from memberships_export.service.user.request import Accepted, Wish
from tests.fakes.memory import MemoryStore
from tests.fakes.world import SILENT, World

NEW = "new.address@example.org"


def ask(world: World, email: str, key: str | None = None) -> Accepted:
    return world.services.request(Wish(user_id="user-1", email=email, idempotency_key=key))


def recipients(world: World) -> list[str]:
    return [mail.to for mail in world.mails]


def test_asking_again_with_another_verified_address_sends_the_file_there() -> None:
    world = World()
    first = ask(world, "old@example.org").export
    again = ask(world, NEW)
    world.work()

    assert (again.export.export_id, again.created) == (first.export_id, False)
    assert again.export.email == NEW
    assert recipients(world) == [NEW]


def test_the_same_key_with_another_verified_address_sends_the_file_there() -> None:
    world = World()
    ask(world, "old@example.org", key="k")
    ask(world, NEW, key="k")
    world.work()

    assert recipients(world) == [NEW]


def test_a_message_that_still_names_the_older_address_wakes_the_export() -> None:
    world = World()
    export = ask(world, "old@example.org").export
    ask(world, NEW)
    assert world.queue.messages[0].attributes["email"] == "old@example.org"
    world.work()

    assert world.export(export).status is ExportStatus.COMPLETED
    assert not world.dead_letters.letters


def test_a_message_that_names_an_address_the_export_never_had_mails_nobody() -> None:
    world = World()
    export = ask(world, "old@example.org").export
    ask(world, NEW)
    world.queue.lose_all()
    world.queue.send(wake_message(replace(world.export(export), email="thief@example.org")))
    world.work()

    assert not world.mails
    assert "another user or address" in world.dead_letters.letters[0].message.attributes["reason"]


def test_once_a_mail_may_have_left_the_address_stays() -> None:
    world = World(mails=[SILENT])
    export = ask(world, "old@example.org").export
    world.work()
    assert world.export(export).status is ExportStatus.WAITING
    joined = ask(world, NEW).export

    assert joined.email == "old@example.org"


def test_an_address_that_changes_while_the_file_is_read_is_the_one_that_gets_it() -> None:
    world = World()
    ask(world, "old@example.org")
    read = world.files.read

    def read_slowly(key: str) -> bytes | None:
        if key.startswith("csv/"):
            ask(world, NEW)
        return read(key)

    world.files.read = read_slowly  # type: ignore[method-assign]
    world.work()

    assert recipients(world) == [NEW]


def test_the_change_is_logged_without_the_addresses(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    export = ask(world, "old@example.org").export
    ask(world, NEW)

    assert f"export={export.export_id} event=address_changed" in caplog.messages
    assert "@example.org" not in caplog.text


def test_the_same_address_again_writes_nothing() -> None:
    world = World()
    first = ask(world, NEW).export

    assert ask(world, NEW).export.revision == first.revision


def test_only_the_last_few_addresses_are_remembered() -> None:
    world = World()
    for number in range(9):
        export = ask(world, f"address-{number}@example.org").export

    assert export.earlier_emails == tuple(f"address-{number}@example.org" for number in range(3, 8))


def completed(world: World) -> Export:
    export = ask(world, "old@example.org").export
    world.work()
    return world.export(export)


def test_a_resend_goes_to_the_address_of_who_asks_for_it() -> None:
    world = World()
    export = completed(world)
    world.services.resend(export.export_id, "user-1", NEW)
    world.work()

    assert recipients(world) == ["old@example.org", NEW]
    assert world.export(export).status is ExportStatus.COMPLETED


def test_a_resend_to_something_that_is_no_address_is_refused() -> None:
    world = World()
    export = completed(world)
    with pytest.raises(InvalidAddress):
        world.services.resend(export.export_id, "user-1", "two@example.org, addresses@example.org")

    assert world.export(export) == export


def test_a_resend_goes_to_an_international_domain_in_ascii() -> None:
    world = World()
    export = completed(world)
    world.services.resend(export.export_id, "user-1", "anna@Bücher.example")
    world.work()

    assert recipients(world) == ["old@example.org", "anna@xn--bcher-kva.example"]


def test_an_export_that_is_deleted_in_that_moment_still_answers_and_mails_nobody() -> None:
    class DeletedMeanwhile(MemoryStore):
        def replace(self, _old: Export, _new: Export) -> Export | None:
            self.records.clear()
            return None

    world = World()
    first = ask(world, "old@example.org").export
    store = DeletedMeanwhile()
    store.records = dict(world.store.records)
    world.store = store
    world.services = world.over(world.ports)
    assert ask(world, NEW) == Accepted(first, created=False)
    world.work()
    assert world.mailer.mails == []
