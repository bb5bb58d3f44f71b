"""Many who ask at once: one write, one answer each, and an event loop that waits for none of it."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event, current_thread
from typing import Any

import pytest

from memberships_export.domain.errors import RateLimited, StorageUnavailable
from memberships_export.domain.messages.new_export import NewExport, TakenIn
from memberships_export.entrypoints.api import asking
from memberships_export.entrypoints.api.asking import Asked, Asking
from memberships_export.entrypoints.api.exports_api import ExportsApi
from memberships_export.service.user.record_then_message import RecordThenMessage
from memberships_export.service.user.request import Wish
from tests.fakes.world import World
from tests.unit.api.service import Service, exports_api, own_app

AT_ONCE = 8


class HeldIntake:
    """An intake whose first write takes until it is let go. `batches`: how many exports each write had."""

    most = AT_ONCE

    def __init__(self, world: World) -> None:
        self._intake = RecordThenMessage(world.store, world.queue)
        self.batches: list[int] = []
        self.threads: list[str] = []
        self.begun, self.let_go = Event(), Event()
        self.bug: Exception | None = None

    def take_in(self, new: Sequence[NewExport]) -> Sequence[TakenIn | Exception]:
        self.batches.append(len(new))
        self.threads.append(current_thread().name)
        self.begun.set()
        assert self.let_go.wait(30)
        if self.bug:
            raise self.bug
        return self._intake.take_in(new)


class Held:
    """An API over an intake that is held."""

    def __init__(self, **policy: Any) -> None:  # noqa: ANN401  (fields of Policy)
        self.world = World(**policy)
        self.intake = HeldIntake(self.world)
        self.world.services = self.world.over(replace(self.world.ports, intake=self.intake))
        self.api = exports_api(self.world)

    async def under_way(self, ask: Asking, wishes: Sequence[Wish]) -> "list[asyncio.Task[Asked]]":
        """Have the first write begin with the first wish, and the others wait."""
        first = asyncio.create_task(ask(wishes[0]))
        await asyncio.to_thread(self.intake.begun.wait, 30)
        others = [asyncio.create_task(ask(wish)) for wish in wishes[1:]]
        await asyncio.sleep(0)
        return [first, *others]


def wish(number: int) -> Wish:
    return Wish(user_id=f"user-{number}", email=f"user-{number}@example.org")


def wishes(count: int) -> list[Wish]:
    return [wish(number) for number in range(count)]


async def ended(tasks: "Sequence[asyncio.Task[Asked]]") -> list[Asked | BaseException]:
    return await asyncio.gather(*tasks, return_exceptions=True)


def test_all_who_come_while_one_is_written_become_one_write() -> None:
    held = Held()

    async def ask_all() -> list[Asked | BaseException]:
        tasks = await held.under_way(Asking(held.api), wishes(AT_ONCE))
        held.intake.let_go.set()
        return await ended(tasks)

    answers = asyncio.run(ask_all())
    assert held.intake.batches == [1, AT_ONCE - 1]
    assert [one.accepted.export.user_id for one in answers if isinstance(one, Asked)] == [
        f"user-{number}" for number in range(AT_ONCE)
    ]
    assert set(held.intake.threads) == {"accepting"}


def test_more_than_fit_into_one_write_are_written_after_it() -> None:
    held = Held()

    async def ask_all() -> None:
        tasks = await held.under_way(Asking(held.api), wishes(2 * AT_ONCE + 2))
        held.intake.let_go.set()
        await ended(tasks)

    asyncio.run(ask_all())
    assert held.intake.batches == [1, AT_ONCE, AT_ONCE, 1]


def test_each_gets_its_own_outcome() -> None:
    held = Held(max_exports_per_hour=1)
    held.intake.let_go.set()
    held.world.request("user-1")
    held.world.work()
    held.intake.let_go.clear()
    held.intake.begun.clear()

    async def ask_all() -> list[Asked | BaseException]:
        tasks = await held.under_way(Asking(held.api), [wish(0), wish(1), wish(2), Wish(user_id="u", email="no")])
        held.intake.let_go.set()
        return await ended(tasks)

    first, second, third, fourth = asyncio.run(ask_all())
    assert isinstance(first, Asked)
    assert isinstance(second, RateLimited)
    assert isinstance(third, Asked)
    assert getattr(fourth, "code", "") == "invalid_address"
    assert held.intake.batches[-1] == 2


def test_a_client_that_goes_while_its_write_waits_has_its_export_and_nobody_else_is_harmed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    held = Held()

    async def ask_and_go() -> list[Asked | BaseException]:
        ask = Asking(held.api)
        tasks = await held.under_way(ask, wishes(4))
        tasks[0].cancel()
        tasks[2].cancel()
        await asyncio.sleep(0)
        held.intake.let_go.set()
        found = await ended(tasks)
        await ask(wish(9))
        return found

    answers = asyncio.run(ask_and_go())
    assert [type(answer) for answer in answers] == [asyncio.CancelledError, Asked, asyncio.CancelledError, Asked]
    assert {export.user_id for export in held.world.store.records.values()} == {
        f"user-{one}" for one in (0, 1, 2, 3, 9)
    }
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_an_event_loop_that_ended_is_not_told_and_the_next_one_is_served() -> None:
    held = Held()
    ask = Asking(held.api)

    async def leave() -> None:
        await held.under_way(ask, wishes(2))

    async def come() -> Asked:
        held.intake.let_go.set()
        return await ask(wish(7))

    asyncio.run(leave())
    assert asyncio.run(come()).accepted.created
    assert len(held.world.store.records) == 3


@pytest.mark.parametrize("error", [RuntimeError("a bug"), StorageUnavailable("The disk is full.")])
def test_what_goes_wrong_with_the_write_is_told_to_all_and_the_next_is_served(error: Exception) -> None:
    held = Held()
    held.intake.bug = error

    async def ask_all() -> tuple[list[Asked | BaseException], Asked]:
        ask = Asking(held.api)
        tasks = await held.under_way(ask, wishes(3))
        held.intake.let_go.set()
        told = await ended(tasks)
        held.intake.bug = None
        return told, await ask(wish(5))

    told, after = asyncio.run(ask_all())
    assert told == [error] * 3
    assert after.accepted.created


def test_a_thread_that_ended_for_want_of_work_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_LINGER", 0.0)
    held = Held()
    held.intake.let_go.set()

    async def ask_three_times() -> None:
        ask, others = Asking(held.api), set(threading.enumerate())
        for number in range(3):
            assert (await asyncio.wait_for(ask(wish(number)), 30)).accepted.created
            for thread in [one for one in threading.enumerate() if one.name == "accepting" and one not in others]:
                await asyncio.to_thread(thread.join, 30)

    asyncio.run(ask_three_times())


def test_while_a_write_hangs_others_are_answered() -> None:
    held = Held()
    service = Service(held.world, own_app(held.api))
    with service.client, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(service.get, "/memberships/export")
        assert held.intake.begun.wait(30)
        assert service.client.get("/healthz").status_code == 200
        assert service.get("/memberships/exports").json() == {"items": []}
        assert not waiting.done()
        held.intake.let_go.set()
        assert waiting.result().status_code == 202


def paused() -> bool:
    return True


def away() -> bool:
    raise StorageUnavailable("The store does not answer.")


@pytest.mark.parametrize("most", [1, AT_ONCE])
@pytest.mark.parametrize("is_paused, status", [(paused, 202), (away, 503)])
def test_whether_the_service_is_paused_is_found_out_beside_the_write(
    most: int, is_paused: Callable[[], bool], status: int
) -> None:
    service = grouping(most, lambda api: replace(api, is_paused=is_paused))
    answer = service.get("/memberships/export")
    assert answer.status_code == status
    assert status != 202 or answer.json()["paused"]


def test_an_export_of_a_group_is_answered_as_one_by_itself() -> None:
    def shown(most: int) -> dict[str, object]:
        answer = grouping(most).post("/memberships/exports", headers={"Idempotency-Key": "k", "X-Request-Id": "r"})
        kept = {name: value for name, value in answer.headers.items() if name != "date"}
        return {"status": answer.status_code, "headers": kept, "body": answer.content}

    assert shown(1) == shown(AT_ONCE)


def grouping(most: int, change: Callable[[ExportsApi], ExportsApi] = lambda api: api) -> Service:
    world = World()
    intake = RecordThenMessage(world.store, world.queue, most=most)
    world.services = world.over(replace(world.ports, intake=intake))
    return Service(world, own_app(change(exports_api(world))))
