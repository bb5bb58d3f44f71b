"""The loops of a worker process."""

from collections.abc import Callable
from threading import Event

import pytest

from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.messages.message import Received
from memberships_export.domain.pause import Pause
from memberships_export.entrypoints.worker import Worker
from memberships_export.service.worker.run import Acknowledge, GiveBack
from rig.waiting import PATIENCE_SECONDS
from tests.fakes.memory import MemoryServiceState
from tests.fakes.world import World


class ObservedQueue:
    """Tells when a message has been dealt with."""

    def __init__(self, world: World, troubles: list[Exception] | None = None) -> None:
        self._queue = world.queue
        self._troubles = troubles or []
        self.dealt_with = Event()
        self.given_back: list[float] = []

    def send(self, message: object, stage: object = None) -> None:
        raise NotImplementedError

    def holds(self, message: object, stage: object = None) -> bool:
        raise NotImplementedError

    def discard(self, unwanted: object) -> int:
        raise NotImplementedError

    def receive(self, wait_seconds: float) -> Received | None:
        if self._troubles:
            raise self._troubles.pop()
        return self._queue.receive(wait_seconds)

    def acknowledge(self, received: Received) -> None:
        self._queue.acknowledge(received)
        self.dealt_with.set()

    def give_back(self, received: Received, delay_seconds: float) -> None:
        self.given_back.append(delay_seconds)
        self._queue.give_back(received, delay_seconds)
        self.dealt_with.set()


def worker_for(world: World, queue: ObservedQueue, run: Callable[..., object] | None = None) -> Worker:
    return Worker(
        queue=queue,
        state=world.state,
        run_export=run or world.services.run,  # type: ignore[arg-type]
        sweep=world.services.sweep,
        threads=1,
        sweep_seconds=60,
    )


def test_a_worker_takes_messages_and_acknowledges_what_is_done() -> None:
    world = World()
    world.request()
    queue = ObservedQueue(world)
    worker = worker_for(world, queue)
    worker.start()
    assert queue.dealt_with.wait(PATIENCE_SECONDS)
    assert worker.stop(seconds=PATIENCE_SECONDS)
    assert len(world.mails) == 1
    assert not world.queue.messages


def test_a_worker_gives_back_what_somebody_else_is_at() -> None:
    world = World()
    world.request()
    queue = ObservedQueue(world)
    worker = worker_for(world, queue, lambda *_: GiveBack(7.0))
    worker.start()
    assert queue.dealt_with.wait(PATIENCE_SECONDS)
    assert worker.stop(seconds=PATIENCE_SECONDS)
    assert queue.given_back == [7.0]


@pytest.mark.parametrize(
    "trouble, logged",
    [
        (StorageUnavailable("busy"), ("WARNING", "event=trouble code=storage_unavailable reason=busy", False)),
        (KeyError("a bug"), ("ERROR", "event=internal_error", True)),
    ],
)
def test_trouble_does_not_end_the_loop_and_only_a_bug_is_logged_as_an_error(
    trouble: Exception, logged: tuple[str, str, bool], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("memberships_export.entrypoints.worker._PAUSE_AFTER_TROUBLE", 0.0)
    world = World()
    world.request()
    queue = ObservedQueue(world, [trouble])
    worker = worker_for(world, queue)
    worker.start()
    assert queue.dealt_with.wait(PATIENCE_SECONDS)
    assert worker.stop(seconds=PATIENCE_SECONDS)
    assert len(world.mails) == 1
    found = [record for record in caplog.records if record.name == "memberships_export.entrypoints.worker"]
    assert [(record.levelname, record.getMessage(), bool(record.exc_info)) for record in found] == [logged]


def test_a_message_whose_work_broke_off_is_not_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memberships_export.entrypoints.worker._PAUSE_AFTER_TROUBLE", 0.0)
    world = World()
    world.request()
    tried = Event()

    def break_off(*_: object) -> None:
        tried.set()
        raise StorageUnavailable("gone")

    worker = worker_for(world, ObservedQueue(world), break_off)
    worker.start()
    assert tried.wait(PATIENCE_SECONDS)
    assert worker.stop(seconds=PATIENCE_SECONDS)
    assert len(world.queue.messages) == 1


def test_stopping_asks_the_work_at_hand_to_stop_and_says_when_it_does_not() -> None:
    world = World()
    world.request()
    begun, finish = Event(), Event()

    def stubborn(_: object, should_stop: Callable[[], bool]) -> Acknowledge:
        begun.set()
        finish.wait(PATIENCE_SECONDS)
        assert should_stop()
        return Acknowledge()

    queue = ObservedQueue(world)
    worker = worker_for(world, queue, stubborn)
    worker.start()
    assert begun.wait(PATIENCE_SECONDS)
    assert not worker.stop(seconds=0)
    finish.set()
    assert worker.stop(seconds=PATIENCE_SECONDS)
    assert queue.dealt_with.is_set()


def test_a_worker_sweeps_again_as_soon_as_another_process_has_died(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memberships_export.entrypoints.worker._LOOK_AROUND_SECONDS", 0.0)
    world = World()
    swept, swept_again, died = Event(), Event(), Event()

    class Machine:
        def me(self) -> str:
            return "process-1"

        def gone(self) -> list[str]:
            return ["process-2"] if died.is_set() else []

    def sweep(_: object) -> None:
        (swept_again if swept.is_set() else swept).set()

    worker = worker_for(world, ObservedQueue(world))
    worker.sweep, worker.machine, worker.sweep_seconds = sweep, Machine(), 86_400  # type: ignore[assignment]
    worker.start()
    assert swept.wait(PATIENCE_SECONDS)
    assert not swept_again.is_set()
    died.set()
    assert swept_again.wait(PATIENCE_SECONDS)
    assert worker.stop(seconds=PATIENCE_SECONDS)


def test_a_paused_worker_takes_nothing_and_goes_on_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memberships_export.entrypoints.worker._RECEIVE_SECONDS", 0.01)
    world, looked = World(), Event()
    world.request()
    queue = ObservedQueue(world)
    worker = worker_for(world, queue)

    class State(MemoryServiceState):
        def paused(self) -> Pause | None:
            if looked.is_set():
                again.set()
            looked.set()
            return super().paused()

    again = Event()
    worker.state = State()
    worker.state.pause(Pause(since=world.clock(), by="ops"))
    worker.start()
    assert again.wait(PATIENCE_SECONDS)
    assert not queue.dealt_with.is_set()
    worker.state.resume()
    assert queue.dealt_with.wait(PATIENCE_SECONDS)
    assert worker.stop(seconds=PATIENCE_SECONDS)
    assert len(world.mails) == 1


@pytest.mark.parametrize("threads", [1, 4])
def test_a_worker_that_drains_takes_what_is_there_and_tells_when_nothing_is_left(threads: int) -> None:
    world, drained = World(max_exports_per_hour=50), Event()
    for number in range(6):
        world.request(f"user-{number}")
    worker = worker_for(world, ObservedQueue(world))
    worker.threads = threads
    worker.start(drained.set)
    assert drained.wait(PATIENCE_SECONDS)
    assert len(world.mails) == 6
    assert not world.queue.messages
    assert worker.stop(seconds=PATIENCE_SECONDS)


def test_a_worker_that_drains_ends_in_a_pause_with_the_message_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memberships_export.entrypoints.worker._RECEIVE_SECONDS", 0.01)
    world, drained = World(), Event()
    world.request()
    world.state.pause(Pause(since=world.clock(), by="ops"))
    worker = worker_for(world, ObservedQueue(world))
    worker.start(drained.set)
    assert drained.wait(PATIENCE_SECONDS)
    assert (len(world.queue.messages), world.mailer.mails) == (1, [])
    assert worker.stop(seconds=PATIENCE_SECONDS)


def test_a_worker_that_drains_and_meets_trouble_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memberships_export.entrypoints.worker._PAUSE_AFTER_TROUBLE", 0.0)
    world, drained = World(), Event()
    world.request()
    worker = worker_for(world, ObservedQueue(world, [StorageUnavailable("busy"), KeyError("a bug")]))
    worker.start(drained.set)
    assert drained.wait(PATIENCE_SECONDS)
    assert len(world.mails) == 1
    assert worker.stop(seconds=PATIENCE_SECONDS)


@pytest.mark.parametrize("drains", [False, True])
def test_a_worker_that_does_not_sweep_leaves_it_to_another_process(drains: bool) -> None:  # noqa: FBT001
    world = World()
    world.request()
    world.queue.messages.clear()
    done = Event()
    worker = worker_for(world, ObservedQueue(world))
    worker.sweeps, worker.sweep = False, lambda *_: pytest.fail("it swept")  # type: ignore[assignment]
    worker.start(done.set if drains else None, done.set)
    assert done.wait(PATIENCE_SECONDS)
    assert worker.stop(seconds=PATIENCE_SECONDS)


def test_others_drain_once_the_one_that_sweeps_has_woken_what_is_due() -> None:
    world, seen, drained = World(), list[str](), Event()
    worker = worker_for(world, ObservedQueue(world))
    worker.sweep = lambda *_: seen.append("swept")  # type: ignore[assignment]
    worker.start(drained.set, lambda: seen.append("up"))
    assert drained.wait(PATIENCE_SECONDS)
    assert worker.stop(seconds=PATIENCE_SECONDS)
    assert seen[0] == "swept"
    assert "up" in seen
