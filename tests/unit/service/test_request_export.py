"""Accepting an export."""

from datetime import timedelta

import pytest

from memberships_export.domain.errors import (
    IdempotencyKeyReused,
    InvalidAddress,
    InvalidUserId,
    RateLimited,
    StorageUnavailable,
)
from memberships_export.domain.export.record import ExportStatus
from memberships_export.domain.formats.options import Preset, of_preset
from memberships_export.domain.messages.message import Message
from memberships_export.domain.messages.wake import parse_message
from memberships_export.service.user.request import Wish
from tests.fakes.world import World

WISH = Wish(user_id="user-1", email="member@example.org")


def test_the_record_is_there_before_the_message_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    seen: list[int] = []
    monkeypatch.setattr(world.queue, "send", lambda _: seen.append(len(world.store.records)))
    world.request()
    assert seen == [1]


def test_the_message_names_user_address_and_export() -> None:
    world = World()
    export = world.request()
    (message,) = world.queue.messages
    assert message.attributes == {
        "userId": "user-1",
        "email": "member@example.org",
        "exportId": export.export_id,
    }
    assert parse_message(message, "any").export_id == export.export_id


def test_asking_again_while_one_is_under_way_gives_the_same_one_and_sends_nothing() -> None:
    world = World()
    first = world.services.request(WISH)
    second = world.services.request(WISH)
    assert (first.created, second.created) == (True, False)
    assert second.export.export_id == first.export.export_id
    assert len(world.queue.messages) == 1


def test_another_preset_or_another_user_is_another_export() -> None:
    world = World()
    ids = {
        world.request().export_id,
        world.request(options=of_preset(Preset.RAW)).export_id,
        world.request(user_id="user-2").export_id,
    }
    assert len(ids) == 3


def test_after_the_first_is_finished_asking_again_makes_a_new_one() -> None:
    world = World()
    first = world.request()
    world.work()
    assert world.export(first).status is ExportStatus.COMPLETED
    assert world.request().export_id != first.export_id


def test_a_message_that_cannot_be_sent_does_not_fail_the_request_and_the_sweeper_sends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()

    def unavailable(message: Message) -> None:
        raise StorageUnavailable(f"no queue for {message.body[:1]}")

    with monkeypatch.context() as patch:
        patch.setattr(world.queue, "send", unavailable)
        export = world.request()
    assert not world.queue.messages
    world.pass_time(timedelta(seconds=31))
    assert world.export(export).status is ExportStatus.COMPLETED


def test_an_idempotency_key_finds_its_export_again_even_when_it_is_finished() -> None:
    world = World()
    wish = Wish(user_id="user-1", email="member@example.org", idempotency_key="k-1")
    first = world.services.request(wish)
    world.work()
    again = world.services.request(wish)
    assert (again.created, again.export.export_id) == (False, first.export.export_id)


def test_an_idempotency_key_finds_the_same_export_whatever_version_was_asked_first() -> None:
    first = World().services.request(Wish(user_id="user-1", email="a@example.org", idempotency_key="k-1"))
    assert first.export.export_id == "b3d991b6-66d1-5f7b-bf1b-a8cd1d3c46ef"


def test_an_idempotency_key_belongs_to_its_user() -> None:
    world = World()
    keys = [Wish(user_id=user, email="a@example.org", idempotency_key="k") for user in ("user-1", "user-2")]
    first, second = (world.services.request(wish).export for wish in keys)
    assert first.export_id != second.export_id


def test_an_idempotency_key_with_other_options_is_refused() -> None:
    world = World()
    world.services.request(Wish(user_id="u", email="a@example.org", idempotency_key="k"))
    with pytest.raises(IdempotencyKeyReused, match="other options"):
        world.services.request(Wish(user_id="u", email="a@example.org", idempotency_key="k", said={"preset": "raw"}))


def test_the_eleventh_export_within_an_hour_is_refused_with_the_time_to_wait() -> None:
    world = World()
    for _ in range(10):
        world.request()
        world.work()
        world.clock.advance(timedelta(minutes=1))
    with pytest.raises(RateLimited) as refused:
        world.request()
    assert refused.value.retry_after == 50 * 60
    world.clock.advance(timedelta(minutes=50))
    assert world.services.request(WISH).created


def test_at_the_limit_the_export_under_way_is_still_found() -> None:
    world = World(max_exports_per_hour=1)
    export = world.request()
    assert world.request().export_id == export.export_id


@pytest.mark.parametrize(
    "address", ["a@example.org\r\nBcc: b@example.org", "a@example.org,b@example.org", "nobody", ""]
)
def test_an_address_that_is_not_one_plain_address_records_nothing(address: str) -> None:
    world = World()
    with pytest.raises(InvalidAddress):
        world.services.request(Wish(user_id="user-1", email=address))
    assert not world.store.records
    assert not world.queue.messages


def test_an_address_with_an_international_domain_is_recorded_and_mailed_to_in_ascii() -> None:
    world = World()
    export = world.services.request(Wish(user_id="user-1", email="anna@Bücher.example")).export
    assert export.email == "anna@xn--bcher-kva.example"
    assert world.services.request(Wish(user_id="user-1", email="anna@XN--BCHER-KVA.example")).export == export
    world.work()
    assert [mail.to for mail in world.mailer.mails] == ["anna@xn--bcher-kva.example"]


@pytest.mark.parametrize("user_id", ["", "x" * 256, "a\nb", "a\u202eb", "\ud800"])
def test_a_user_id_that_no_worker_would_take_records_nothing(user_id: str) -> None:
    world = World()
    with pytest.raises(InvalidUserId, match="not one of 1 to 255 printable characters"):
        world.services.request(Wish(user_id=user_id, email="a@example.org"))
    assert not world.store.records
    assert not world.queue.messages
