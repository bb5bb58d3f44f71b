"""Erasing while the service runs: at every call something fails, or dies; a second run ends it, and nothing is left."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from memberships_export.bootstrap.backend import connect
from memberships_export.bootstrap.parts import utc_now
from memberships_export.domain.errors import StorageUnavailable, UnknownExport
from memberships_export.domain.export.finding import address_key
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.formats.options import Options, Preset
from memberships_export.domain.formats.said import say
from memberships_export.domain.mail.mail import SendResult
from memberships_export.domain.messages.message import Message
from memberships_export.domain.messages.wake import wake_message
from memberships_export.ports import Ports
from memberships_export.service.assembly import Services, assemble
from memberships_export.service.file_keys import part_key
from memberships_export.service.user.request import Wish
from memberships_export.settings import Settings
from tests.factories import a_membership
from tests.fakes.memory import FakeClock, ListSource
from tests.fakes.world import ACCEPTED, LINKS, REFUSED_FOR_GOOD, World
from tests.life.crashing import Crash, Moments

USER, ADDRESS, NAME = "user-canary", "canary@example.org", "Canary Plan"
OTHER = "user-other"
CANARIES = (USER, ADDRESS, NAME, address_key(ADDRESS))


def rows() -> list[dict[str, object]]:
    own = [a_membership(n + 1, userId=USER, name=NAME) for n in range(7)]
    return [*own, *(a_membership(n + 100, userId=OTHER) for n in range(2))]


def ask(services: Services, preset: Preset = Preset.SPREADSHEET, user: str = USER) -> Export:
    email = ADDRESS if user == USER else "other@example.org"
    return services.request(Wish(user_id=user, email=email, said=say(Options(preset=preset)))).export


def a_full_world(mails: Sequence[SendResult] = (ACCEPTED, REFUSED_FOR_GOOD)) -> World:
    """One export of the canary is completed, one failed, one waits; and there are messages that nobody understands."""
    world = World(rows(), mails=mails)
    for preset in (Preset.SPREADSHEET, Preset.RAW):
        ask(world.services, preset)
        world.work()
    ask(world.services, user=OTHER)
    world.work()
    ask(world.services, Preset.EXCEL_DE)
    plain = {"userId": USER, "email": ADDRESS}
    world.dead_letters.add(Message("no JSON", plain | {"exportId": "gone-long-ago"}))
    world.queue.send(Message("{}", plain))
    return world


def traces(world: World) -> list[str]:
    """Find the canary in all that the service keeps."""
    kept = [
        *map(repr, world.store.records.values()),
        *map(repr, world.store.turns),
        *map(repr, world.erasures.tombstones.values()),
        *map(repr, world.dead_letters.letters),
        *map(repr, world.queue.messages),
        *(f"{key} {content!r}" for key, content in world.files.content.items()),
    ]
    return [text for text in kept if any(canary in text for canary in CANARIES)]


def erase(services: Services) -> None:
    services.erase_user(USER)


def of_canary(world: World) -> list[Export]:
    return [export for export in world.store.records.values() if export.user_id == USER]


def delete_each(world: World) -> Callable[[Services], None]:
    ids = [export.export_id for export in of_canary(world)]

    def delete(services: Services) -> None:
        for export_id in ids:
            services.erase_own(export_id, USER)

    return delete


def moments_of_erasing() -> int:
    world, moments = a_full_world(), Moments(None)
    erase(world.over(moments.over(world.ports)))
    return moments.count


MOMENTS = range(1, moments_of_erasing() + 1)


def refuse() -> None:
    raise StorageUnavailable("Not this time.")


def test_there_is_much_to_find_before_and_nothing_after() -> None:
    world = a_full_world()
    assert len(traces(world)) > 10
    receipt = world.services.erase_user(USER)
    assert traces(world) == []
    assert sorted(one.outcome for one in receipt.exports) == ["completed", "failed", "queued"]
    assert receipt.rows == 14
    assert receipt.cleared.messages == 2, "of the one that waits, and the plain one"
    assert receipt.cleared.letters == 2
    assert len(world.store.records) == 1, "the other user's"


def test_there_are_as_many_moments_as_this_file_takes_for_granted() -> None:
    assert len(MOMENTS) > 30


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_store_that_is_away_in_the_middle_of_erasing_leaves_the_rest_to_a_second_run(moment: int) -> None:
    world = a_full_world()
    with suppress(StorageUnavailable):
        erase(world.over(Moments(moment, refuse).over(world.ports)))
    erase(world.services)
    all_is_gone(world)


@pytest.mark.parametrize("moment", MOMENTS)
def test_one_that_dies_in_the_middle_of_erasing_leaves_the_rest_to_a_second_run(moment: int) -> None:
    world = a_full_world()
    with pytest.raises(Crash):
        erase(world.over(Moments(moment).over(world.ports)))
    erase(world.services)
    all_is_gone(world)


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_was_begun_is_ended_by_the_sweeper_alone(moment: int) -> None:
    world = a_full_world()
    with suppress(Crash):
        erase(world.over(Moments(moment).over(world.ports)))
    begun = set(world.erasures.tombstones)
    world.pass_time()
    assert not begun & set(world.store.records)
    assert not any(key.split("/")[1] in begun for key in world.files.content)


@pytest.mark.parametrize("moment", range(1, 40))
def test_a_member_who_asks_again_has_the_rest_done(moment: int) -> None:
    world = a_full_world(mails=(ACCEPTED, ACCEPTED))
    delete, moments = delete_each(world), Moments(moment, refuse)
    with suppress(StorageUnavailable):
        delete(world.over(moments.over(world.ports)))
    delete(world.services)
    assert not of_canary(world)
    assert not any(NAME in repr(content) for content in world.files.content.values())


def all_is_gone(world: World) -> None:
    assert traces(world) == []
    assert len(world.erasures.tombstones) == 3
    world.pass_time()
    assert traces(world) == []
    assert not any(one.clear_at for one in world.erasures.tombstones.values())
    assert len(world.store.records) == 1


def moments_of_an_export() -> int:
    world, moments = World(rows()), Moments(None)
    ask(world.services)
    world.work_once(world.over(moments.over(world.ports)))
    return moments.count


@pytest.mark.parametrize("moment", range(1, moments_of_an_export() + 1))
@pytest.mark.parametrize("by", ["operator", "member"])
def test_a_worker_under_way_leaves_nothing_behind(moment: int, by: str) -> None:
    world = World(rows())
    export = ask(world.services)

    def happening() -> None:
        if by == "operator":
            erase(world.services)
        else:
            world.services.erase_own(export.export_id, USER)

    world.work_once(world.over(Moments(moment, happening).over(world.ports)))
    world.clock.advance(world.policy.lease)
    world.services.sweep()
    world.work()
    world.store.turns.clear()  # a member's own deletion leaves how often they asked within the hour
    assert traces(world) == []
    assert not world.store.records


def test_a_worker_that_notices_after_its_lease_leaves_nothing_behind() -> None:
    world = World(rows())
    export = ask(world.services)

    def stood_still() -> None:
        erase(world.services)
        world.pass_time()
        assert not world.erasures.tombstones[export.export_id].clear_at

    # It had its page in hand, and stores it when nobody expects that any more.
    world.source.before = {2: stood_still}
    world.work_once()
    assert any(NAME in repr(content) for content in world.files.content.values())
    world.pass_time()
    assert traces(world) == []


def test_what_is_asked_for_after_it_began_is_left_alone() -> None:
    world = a_full_world()
    later: list[Export] = []

    def ask_anew() -> None:
        world.clock.advance(timedelta(seconds=1))
        later.append(ask(world.services, Preset.EXCEL_FR))

    erase(world.over(Moments(20, ask_anew).over(world.ports)))
    world.pass_time()
    assert world.export(later[0]).status is ExportStatus.COMPLETED
    assert [export.export_id for export in of_canary(world)] == [later[0].export_id]


def test_messages_of_an_erased_export_do_nothing_and_are_no_letters() -> None:
    world = World(rows())
    export = ask(world.services)
    world.queue.lose_all()
    erase(world.services)
    world.queue.send(wake_message(export))
    world.work()
    assert not world.store.records
    assert not world.dead_letters.letters


def test_a_plain_message_that_comes_again_does_not_make_an_erased_export_anew() -> None:
    world = World(rows())
    world.queue.send(Message("{}", {"userId": USER, "email": ADDRESS}))
    received = world.queue.receive(0)
    assert received is not None
    world.services.run(received, lambda: False)
    erase(world.services)
    world.services.run(received, lambda: False)
    assert not world.store.records
    assert not world.mails[1:]


def test_a_plain_letter_of_an_erased_export_is_not_redriven() -> None:
    world = World(rows())
    world.queue.send(Message("{}", {"userId": USER, "email": ADDRESS}))
    received = world.queue.receive(0)
    assert received is not None
    world.services.run(received, lambda: False)
    erase(world.services)
    world.dead_letters.bury(received.message, received.message_id, world.clock())
    (refused,) = world.services.redrive.redrive_all(dry_run=False)
    assert "was erased" in refused.text
    world.work()
    assert not world.store.records


def test_an_idempotency_key_of_an_erased_export_makes_no_new_one() -> None:
    world = World(rows())
    wish = Wish(user_id=USER, email=ADDRESS, idempotency_key="once")
    world.services.request(wish)
    erase(world.services)
    with pytest.raises(Exception, match="was erased: use a new key"):
        world.services.request(wish)
    assert not world.store.records


def test_links_that_were_mailed_stop_working() -> None:
    world = World(rows())
    export = ask(world.services)
    world.work()
    token = LINKS.url(world.export(export)).rpartition("/")[2]
    assert world.services.read.file_by_link(export.export_id, token).file.rows == 7
    erase(world.services)
    with pytest.raises(UnknownExport):
        world.services.read.file_by_link(export.export_id, token)


def test_a_record_that_cannot_be_read_is_erased_by_its_id_and_told() -> None:
    world = a_full_world()
    spoilt = of_canary(world)[0]
    world.store.spoil(spoilt)
    receipt = world.services.erase_user(USER)
    outcomes = {one.export_id: one.outcome for one in receipt.exports}
    assert sorted(outcomes.values()) == ["failed", "queued", "unreadable"]
    assert outcomes[spoilt.export_id] == "unreadable"
    assert any("could not be read" in one.what for one in receipt.remains)
    assert not world.store.unreadable
    all_is_gone(world)


def test_after_a_restore_it_is_erased_again() -> None:
    world = a_full_world()
    records, files = dict(world.store.records), dict(world.files.content)
    erase(world.services)
    world.pass_time()
    world.store.records.update(records)
    world.files.content.update(files)
    world.services.erase_user.again()
    assert not of_canary(world)
    assert not any(NAME in repr(content) for content in world.files.content.values())
    assert len(world.store.records) == 1


def test_a_restore_that_lost_the_tombstones_takes_them_over_from_a_list() -> None:
    world = a_full_world()
    records = dict(world.store.records)
    erase(world.services)
    listed = list(world.services.erase_user.tombstones())
    world.erasures.tombstones.clear()
    world.store.records.update(records)
    world.services.erase_user.again(listed)
    assert not of_canary(world)
    assert len(world.erasures.tombstones) == 3


# --- On a real disk ---------------------------------------------------------------------------------------------------


def on_disk(folder: Path, clock: FakeClock) -> Ports:
    made = connect(Settings(data_dir=folder), "http://127.0.0.1:1")
    return replace(made, source=ListSource(rows()), clock=clock)


def found_on_disk(folder: Path) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    texts = [canary.encode() for canary in CANARIES]
    return [path.name for path in files if any(text in path.read_bytes() + path.name.encode() for text in texts)]


def test_no_byte_of_the_person_is_left_in_the_data_folder(tmp_path: Path) -> None:
    clock = FakeClock(utc_now())
    ports = on_disk(tmp_path, clock)
    services = assemble(ports, Policy(page_size=3), LINKS)
    for preset in (Preset.SPREADSHEET, Preset.RAW):
        ask(services, preset)
        received = ports.queue.receive(0)
        assert received is not None
        services.run(received, lambda: False)
        ports.queue.acknowledge(received)
    export = ask(services, Preset.EXCEL_DE)
    ports.dead_letters.add(wake_message(export))
    (tmp_path / "outbox" / f".{export.export_id}.1.eml.0123456789abcdef.tmp").write_text(ADDRESS)
    ports.files.put_once(part_key(export, 1, None), NAME.encode())
    assert {"exports.db-wal"} < set(found_on_disk(tmp_path)), "there is something to find"
    receipt = services.erase_user(USER)
    assert receipt.cleared.mails == 3
    assert found_on_disk(tmp_path) == [], "before the sweeper comes, too"
    clock.advance(timedelta(minutes=5))
    services.sweep()
    assert found_on_disk(tmp_path) == []
    assert len(list(ports.erasures.all())) == 3
