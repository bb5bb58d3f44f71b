"""What every ExportStore promises."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import is_dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from types import UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints
from uuid import uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memberships_export.domain.errors import RateLimited, StorageUnavailable
from memberships_export.domain.export.rate import Turn
from memberships_export.domain.export.record import Evidence, Export, ExportStatus, Send
from memberships_export.domain.formats.options import Preset, of_preset
from memberships_export.ports import ExportStore
from tests.factories import REQUESTED_AT, an_export

T = TypeVar("T")
WRITERS = 8

SIMPLE: Mapping[object, st.SearchStrategy[Any]] = {
    str: st.text(max_size=20),
    bool: st.booleans(),
    int: st.integers(min_value=0, max_value=2**53),
    datetime: st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
}


def filled(wanted: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401  (any type annotation)
    """Make values of a type with nothing left out, so that no field that is lost on the way hides behind None."""
    if wanted in SIMPLE:
        return SIMPLE[wanted]
    if get_origin(wanted) is tuple:
        return st.lists(filled(get_args(wanted)[0]), min_size=1, max_size=3).map(tuple)
    if get_origin(wanted) is UnionType:
        return filled(get_args(wanted)[0])
    if is_dataclass(wanted) or (isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)):
        hints = get_type_hints(wanted)
        return st.builds(cast("type", wanted), **{name: filled(hint) for name, hint in hints.items()})
    return st.sampled_from(wanted)


def at_once(work: Callable[[int], T]) -> list[T]:
    """Let several threads do the work at the same moment."""
    barrier = Barrier(WRITERS)

    def wait_and_work(number: int) -> T:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(wait_and_work, range(WRITERS)))


def test_a_created_record_is_read_back_as_it_was_returned(store: ExportStore) -> None:
    export = an_export()

    stored = store.create(export)

    assert replace(stored, revision="") == export
    assert stored.revision
    assert store.get(export.export_id) == stored


def test_an_unknown_record_is_none(store: ExportStore) -> None:
    assert store.get("unknown") is None


def test_creating_with_a_taken_id_returns_the_record_that_is_there(store: ExportStore) -> None:
    first = store.create(an_export(status=ExportStatus.COMPLETED))

    assert store.create(an_export(export_id=first.export_id, email="other@example.org")) == first
    assert store.get(first.export_id) == first


def test_creating_beside_an_unfinished_export_of_the_user_returns_that_one(store: ExportStore) -> None:
    for status in (ExportStatus.QUEUED, ExportStatus.RUNNING, ExportStatus.WAITING):
        user_id = f"user-{status}"
        first = store.create(an_export(user_id=user_id, status=status))
        second = an_export(user_id=user_id)

        assert store.create(second) == first
        assert store.get(second.export_id) is None


def test_another_preset_or_another_user_is_an_export_of_its_own(store: ExportStore) -> None:
    store.create(an_export())
    other_preset, other_user = an_export(options=of_preset(Preset.RAW)), an_export(user_id="user-2")

    assert store.create(other_preset).export_id == other_preset.export_id
    assert store.create(other_user).export_id == other_user.export_id


def test_a_finished_export_does_not_block_a_new_one(store: ExportStore) -> None:
    for status in (ExportStatus.COMPLETED, ExportStatus.FAILED, ExportStatus.CANCELLED):
        finished = an_export(status=status)
        assert store.create(finished).export_id == finished.export_id

    new = an_export()

    assert store.create(new).export_id == new.export_id


def test_an_export_that_finishes_makes_room_for_a_new_one(store: ExportStore) -> None:
    first = store.create(an_export())
    store.replace(first, replace(first, status=ExportStatus.COMPLETED))
    second = an_export()

    assert store.create(second).export_id == second.export_id


def test_a_finished_export_can_be_recorded_beside_an_unfinished_one(store: ExportStore) -> None:
    store.create(an_export())
    finished = an_export(status=ExportStatus.CANCELLED)

    assert store.create(finished).export_id == finished.export_id


def test_of_many_requests_at_once_exactly_one_makes_a_record(store: ExportStore) -> None:
    made = at_once(lambda _: store.create(an_export()))

    assert len({export.export_id for export in made}) == 1
    assert len(store.list_for_user("user-1", 100)) == 1


def test_every_write_gives_a_new_revision(store: ExportStore) -> None:
    first = store.create(an_export())
    second = store.replace(first, replace(first, nudges=1))

    assert second is not None
    assert second.nudges == 1
    assert second.revision not in {"", first.revision}
    assert store.get(first.export_id) == second


def test_a_writer_with_an_old_revision_changes_nothing(store: ExportStore) -> None:
    first = store.create(an_export())
    second = store.replace(first, replace(first, nudges=1))

    assert store.replace(first, replace(first, nudges=2)) is None
    assert store.get(first.export_id) == second


def test_a_record_that_is_gone_is_not_written_again(store: ExportStore) -> None:
    export = store.create(an_export())
    store.delete(export)

    assert store.replace(export, replace(export, nudges=1)) is None
    assert store.get(export.export_id) is None


def test_of_racing_writers_exactly_one_wins(store: ExportStore) -> None:
    export = store.create(an_export())

    written = at_once(lambda number: store.replace(export, replace(export, token=number)))

    winners = [stored for stored in written if stored]
    assert len(winners) == 1
    assert store.get(export.export_id) == winners[0]


def test_a_finished_export_cannot_start_again_beside_an_unfinished_one(store: ExportStore) -> None:
    finished = store.create(an_export(status=ExportStatus.FAILED))
    store.create(an_export())

    assert store.replace(finished, replace(finished, status=ExportStatus.QUEUED)) is None
    assert store.get(finished.export_id) == finished


def test_a_finished_export_can_start_again_when_nothing_else_is_under_way(store: ExportStore) -> None:
    finished = store.create(an_export(status=ExportStatus.FAILED))

    started = store.replace(finished, replace(finished, status=ExportStatus.QUEUED))

    assert started is not None
    assert store.create(an_export()) == started


def test_records_of_a_user_are_listed_newest_first_and_only_so_many(store: ExportStore) -> None:
    for minutes in (2, 0, 3, 1):
        requested_at = REQUESTED_AT + timedelta(minutes=minutes)
        store.create(an_export(export_id=f"{minutes}", status=ExportStatus.COMPLETED, requested_at=requested_at))
    store.create(an_export(user_id="user-2"))

    assert [export.export_id for export in store.list_for_user("user-1", 3)] == ["3", "2", "1"]
    assert store.list_for_user("user-3", 3) == []


def test_due_records_come_longest_overdue_first_and_only_so_many(store: ExportStore) -> None:
    now = REQUESTED_AT
    for minutes in (-2, 0, -3, 1, -1):
        export_id, wake_at = f"{minutes}", now + timedelta(minutes=minutes)
        store.create(an_export(export_id=export_id, user_id=f"user{minutes}", wake_at=wake_at))
    store.create(an_export(wake_at=None))

    assert [export.export_id for export in store.due(now, 10)] == ["-3", "-2", "-1", "0"]
    assert [export.export_id for export in store.due(now, 2)] == ["-3", "-2"]


def test_a_record_is_due_by_its_latest_wake_time(store: ExportStore) -> None:
    export = store.create(an_export(wake_at=REQUESTED_AT))
    later = store.replace(export, replace(export, wake_at=REQUESTED_AT + timedelta(hours=1)))
    assert later is not None
    assert store.due(REQUESTED_AT, 10) == []

    store.replace(later, replace(later, wake_at=None))

    assert store.due(REQUESTED_AT + timedelta(days=1), 10) == []


def test_a_record_is_deleted_for_good(store: ExportStore) -> None:
    export = store.create(an_export())

    store.delete(export)
    store.delete(export)

    assert store.get(export.export_id) is None
    assert store.list_for_user(export.user_id, 10) == []
    assert store.create(an_export()).user_id == export.user_id


def test_a_record_that_somebody_else_wrote_is_not_deleted(store: ExportStore) -> None:
    old = store.create(an_export())
    current = store.replace(old, replace(old, nudges=1))

    store.delete(old)

    assert store.get(old.export_id) == current


# The store is shared by all examples on purpose: each has an id of its own.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=30)
@given(export=filled(Export))
def test_every_field_survives_the_store(store: ExportStore, export: Export) -> None:
    export = replace(export, export_id=str(uuid4()), user_id=str(uuid4()))

    stored = store.create(export)

    assert replace(stored, revision=export.revision) == export
    assert store.get(export.export_id) == stored
    assert store.replace(stored, stored) == store.get(export.export_id)


# --- Turns ------------------------------------------------------------------------------------------------------------


def a_turn(limit: int = 3, minutes: float = 0, user_id: str = "user-1") -> Turn:
    return Turn(user_id, REQUESTED_AT + timedelta(minutes=minutes), limit)


def finished(store: ExportStore, export: Export) -> Export:
    done = store.replace(export, replace(export, status=ExportStatus.COMPLETED))
    assert done is not None
    return done


def test_a_user_has_so_many_turns_in_an_hour_and_one_too_many_is_told_when_the_next_comes(store: ExportStore) -> None:
    for minutes in (0, 10, 20):
        store.take_turn(a_turn(minutes=minutes))

    with pytest.raises(RateLimited, match="3 exports an hour") as refused:
        store.take_turn(a_turn(minutes=30))
    assert refused.value.retry_after == pytest.approx(30 * 60)
    store.take_turn(a_turn(minutes=60))
    with pytest.raises(RateLimited):
        store.take_turn(a_turn(minutes=61))


def test_turns_of_one_user_are_none_of_another(store: ExportStore) -> None:
    store.take_turn(a_turn(limit=1))
    store.take_turn(a_turn(limit=1, user_id="user-2"))


def test_a_new_export_takes_a_turn_and_without_one_left_there_is_none(store: ExportStore) -> None:
    finished(store, store.create(an_export(), a_turn(limit=1)))
    another = an_export()

    with pytest.raises(RateLimited):
        store.create(another, a_turn(limit=1, minutes=1))
    assert store.get(another.export_id) is None
    assert store.create(another, a_turn(limit=1, minutes=61)).export_id == another.export_id


def test_an_export_under_way_answers_without_a_turn(store: ExportStore) -> None:
    first = store.create(an_export(), a_turn(limit=1))

    assert store.create(an_export(), a_turn(limit=1, minutes=1)) == first
    assert store.create(an_export(export_id=first.export_id), a_turn(limit=1, minutes=1)) == first


def test_a_finished_export_of_the_same_id_answers_without_a_turn(store: ExportStore) -> None:
    first = finished(store, store.create(an_export(), a_turn(limit=1)))

    assert store.create(an_export(export_id=first.export_id), a_turn(limit=1, minutes=1)) == first


def test_a_record_keeps_the_revision_that_its_maker_gave_it(store: ExportStore) -> None:
    made = store.create(an_export(revision="made-by-us"))

    assert made.revision == "made-by-us"
    assert store.create(replace(made, revision="a-twin")).revision == "made-by-us"


def test_however_many_ask_at_once_no_turn_is_taken_twice(store: ExportStore) -> None:
    barrier = Barrier(8)

    def take(_: int) -> bool:
        barrier.wait()
        try:
            store.take_turn(a_turn(limit=5))
        except RateLimited:
            return False
        except StorageUnavailable:  # it lost every race for the item: told to come back
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(take, range(8)))
    more = 0
    with suppress(RateLimited):
        while True:
            store.take_turn(a_turn(limit=5))
            more += 1
    assert taken + more == 5


def test_of_many_twins_at_once_one_makes_the_record(store: ExportStore) -> None:
    barrier = Barrier(8)
    wanted = an_export()

    def create(number: int) -> str:
        barrier.wait()
        return store.create(replace(wanted, revision=f"twin-{number}"), a_turn(limit=1)).revision

    with ThreadPoolExecutor(8) as pool:
        revisions = list(pool.map(create, range(8)))
    assert len(set(revisions)) == 1


def test_a_store_that_works_says_so_as_often_as_it_is_asked(store: ExportStore) -> None:
    for _ in range(3):
        store.check()


def test_checking_leaves_nothing_behind(store: ExportStore) -> None:
    export = store.create(an_export())
    due = store.due(REQUESTED_AT + timedelta(days=1), 10)

    store.check()

    assert store.get(export.export_id) == export
    assert store.list_for_user(export.user_id, 10) == [export]
    assert store.due(REQUESTED_AT + timedelta(days=1), 10) == due


def test_a_turn_of_a_clock_that_was_set_back_since_does_not_count(store: ExportStore) -> None:
    store.take_turn(a_turn(limit=1, minutes=120))

    store.take_turn(a_turn(limit=1))

    with pytest.raises(RateLimited):
        store.take_turn(a_turn(limit=1, minutes=-0.5))  # two processes may disagree by a little


def mailed(store: ExportStore, export: Export, *message_ids: str | None, **changes: Any) -> Export:  # noqa: ANN401
    """Write the record with a send for each message id, and what else changes."""
    sends = tuple(
        Send(number=number, mailing=1, started_at=REQUESTED_AT, evidence=Evidence.ACCEPTED, message_id=message_id)
        for number, message_id in enumerate(message_ids, start=1)
    )
    written = store.replace(export, replace(export, sends=sends, **changes))
    assert written is not None
    return written


@pytest.mark.parametrize("status", [ExportStatus.WAITING, ExportStatus.COMPLETED])
def test_a_record_is_found_by_the_message_id_of_each_of_its_sends(store: ExportStore, status: ExportStatus) -> None:
    export = mailed(store, store.create(an_export()), None, "first", status=status)
    export = mailed(store, export, None, "first", "second", "second")
    other = mailed(store, store.create(an_export(user_id="user-2")), "third", status=status)

    assert store.find_by_message_id("first") == store.find_by_message_id("second") == export
    assert store.find_by_message_id("third") == other


def test_a_record_is_found_by_a_message_id_that_became_known_after_its_end(store: ExportStore) -> None:
    export = mailed(store, finished(store, store.create(an_export())), "late")

    assert store.find_by_message_id("late") == export


@pytest.mark.parametrize("message_id", ["unknown", "", "*", "%", "x" * 300])
def test_an_unknown_message_id_finds_nothing(store: ExportStore, message_id: str) -> None:
    mailed(store, store.create(an_export()), "known", None)

    assert store.find_by_message_id(message_id) is None


def test_the_message_ids_of_a_record_go_with_it(store: ExportStore) -> None:
    export = mailed(store, store.create(an_export()), "first", status=ExportStatus.COMPLETED)
    store.delete(replace(export, revision="another"))
    assert store.find_by_message_id("first") == export

    store.delete(export)

    assert store.find_by_message_id("first") is None


def test_a_write_that_is_refused_leaves_no_message_id(store: ExportStore) -> None:
    export = store.create(an_export())
    old = replace(export, revision="another")
    send = Send(number=1, mailing=1, started_at=REQUESTED_AT, evidence=Evidence.ACCEPTED, message_id="lost")

    for status in (ExportStatus.WAITING, ExportStatus.COMPLETED):
        assert store.replace(old, replace(export, sends=(send,), status=status)) is None
    assert store.find_by_message_id("lost") is None


def test_a_message_id_is_no_id_of_an_export(store: ExportStore) -> None:
    mailed(store, store.create(an_export()), "first", status=ExportStatus.COMPLETED)

    assert store.get("mail#first") is None


def test_the_ids_of_a_user_are_all_there(store: ExportStore) -> None:
    own = {store.create(an_export(options=of_preset(preset))).export_id for preset in Preset}
    store.create(an_export(user_id="user-2"))
    assert set(store.ids_of_user("user-1")) == own
    assert list(store.ids_of_user("user-3")) == []


@pytest.mark.parametrize("status", [ExportStatus.RUNNING, ExportStatus.COMPLETED])
def test_a_record_is_erased_whatever_its_revision_with_all_that_points_to_it(
    store: ExportStore, status: ExportStatus
) -> None:
    old = store.create(an_export())
    send = Send(number=1, mailing=1, started_at=REQUESTED_AT, evidence=Evidence.ACCEPTED, message_id="m-erased")
    new = store.replace(old, replace(old, status=status, sends=(send,)))
    assert new is not None
    store.erase(old.export_id)
    assert store.get(old.export_id) is None
    assert store.find_by_message_id("m-erased") is None
    assert list(store.ids_of_user("user-1")) == []
    assert store.replace(new, new) is None, "a worker that was under way changes nothing any more"
    store.erase(old.export_id)
    again = an_export()
    assert store.create(again).export_id == again.export_id, "nothing keeps the user from a new one"


def test_erasing_a_finished_export_leaves_the_one_under_way_alone(store: ExportStore) -> None:
    old = store.create(an_export())
    assert store.replace(old, replace(old, status=ExportStatus.COMPLETED)) is not None
    under_way = store.create(an_export())
    store.erase(old.export_id)
    assert store.create(an_export()).export_id == under_way.export_id


def test_turns_are_forgotten(store: ExportStore) -> None:
    turn = Turn("user-1", REQUESTED_AT, 1)
    store.take_turn(turn)
    with pytest.raises(RateLimited):
        store.take_turn(turn)
    store.forget_turns("user-1")
    store.take_turn(turn)
    store.forget_turns("nobody")
