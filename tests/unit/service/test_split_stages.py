"""One worker for each stage, each with its own queue: the same use case, told which stages are its own."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from memberships_export.domain.errors import ForeignRows
from memberships_export.domain.export.record import Export, ExportStatus, Owed, Stage
from memberships_export.domain.export.sweeping import SweepAction
from memberships_export.domain.messages.message import Message, Received
from memberships_export.service.worker.assembly import assemble_workers
from memberships_export.service.worker.sweep import Visit
from tests.factories import a_membership
from tests.fakes.memory import ListSource, MemoryQueue
from tests.fakes.world import LINKS, REFUSED_FOR_GOOD, REFUSED_FOR_NOW, World


class StageQueues:
    """Sends each message to the queue of its stage, as the split form does on AWS."""

    def __init__(self, world: World) -> None:
        self.of = {stage: MemoryQueue(world.clock, world.dead_letters) for stage in Stage}

    def send(self, message: Message, stage: Stage = Stage.FETCH) -> None:
        self.of[stage].send(message)

    def holds(self, message: Message, stage: Stage = Stage.FETCH) -> bool | None:
        return self.of[stage].holds(message)


class SplitWorld(World):
    def __init__(self, rows: int = 7, **options: object) -> None:
        super().__init__(rows, **options)  # type: ignore[arg-type]
        self.queues = StageQueues(self)
        self.services = self.over(replace(self.ports, queue=self.queues))  # type: ignore[arg-type]
        whole = self.services.run
        self.workers = {stage: replace(whole, stages={stage: whole.stages[stage]}) for stage in Stage}

    def take(self, stage: Stage) -> Received | None:
        return self.queues.of[stage].receive(0)

    def work_at(self, stage: Stage) -> bool:
        received = self.take(stage)
        if received is None:
            return False
        self.workers[stage](received, lambda: False)
        self.queues.of[stage].acknowledge(received)
        return True

    def waiting_at(self) -> list[Stage]:
        return [stage for stage in Stage if self.queues.of[stage].messages]


def test_an_export_passes_from_worker_to_worker() -> None:
    world = SplitWorld(7)
    export = world.request()
    seen: list[tuple[list[Stage], Export]] = []
    for stage in Stage:
        seen.append((world.waiting_at(), world.export(export)))
        assert world.work_at(stage)
    assert [stages for stages, _ in seen] == [[Stage.FETCH], [Stage.RENDER], [Stage.DELIVER]]
    done = world.export(export)
    assert (done.status, done.token, len(world.mails)) == (ExportStatus.COMPLETED, 3, 1)
    assert world.waiting_at() == []


def test_a_failure_in_a_later_step_repeats_no_earlier_one() -> None:
    world = SplitWorld(7, mails=[REFUSED_FOR_NOW])
    export = world.request()
    for stage in Stage:
        world.work_at(stage)
    assert world.export(export).status is ExportStatus.WAITING
    calls = len(world.source.calls)
    world.clock.advance(world.policy.longest_back_off)
    world.services.sweep()
    assert world.waiting_at() == [Stage.DELIVER], "the sweeper wakes the worker of the stage the export is at"
    world.work_at(Stage.DELIVER)
    assert world.export(export).status is ExportStatus.COMPLETED
    assert len(world.source.calls) == calls


def test_a_message_in_the_wrong_queue_is_passed_on() -> None:
    world = SplitWorld(7)
    export = world.request()
    (message,) = world.queues.of[Stage.FETCH].messages
    world.queues.of[Stage.FETCH].lose_all()
    world.queues.send(message, Stage.DELIVER)
    world.work_at(Stage.DELIVER)
    assert world.waiting_at() == [Stage.FETCH]
    assert world.export(export).claims == 0


def test_an_export_that_lost_its_file_goes_back_to_the_worker_that_makes_it() -> None:
    world = SplitWorld(7)
    export = world.request()
    world.work_at(Stage.FETCH)
    world.work_at(Stage.RENDER)
    for key in [key for key in world.files.content if key.startswith("csv/")]:
        del world.files.content[key]
    world.work_at(Stage.DELIVER)
    assert world.waiting_at() == [Stage.RENDER]
    world.work_at(Stage.RENDER)
    world.work_at(Stage.DELIVER)
    assert world.export(export).status is ExportStatus.COMPLETED


def test_a_worker_without_a_mailer_leaves_the_failure_mail_to_the_one_that_has_it() -> None:
    world = SplitWorld(source=ListSource([a_membership(1)], {1: ForeignRows()}))
    export = world.request()
    fetch = world.workers[Stage.FETCH]
    world.workers[Stage.FETCH] = replace(fetch, settle=replace(fetch.settle, mailer=None))
    world.work_at(Stage.FETCH)
    failed = world.export(export)
    assert (failed.status, failed.owed) == (ExportStatus.FAILED, (Owed.FAILURE_MAIL,))
    assert len(world.dead_letters.letters) == 1
    assert world.waiting_at() == [Stage.DELIVER]
    world.work_at(Stage.DELIVER)
    assert world.export(export).owed == ()
    assert len(world.failure_mails) == 1


def test_a_process_without_mailer_and_source_takes_only_the_step_between() -> None:
    world = World()
    services = world.over(replace(world.ports, mailer=None, source=None))
    assert list(services.run.stages) == [Stage.RENDER]


@pytest.mark.parametrize("stages", [{Stage.FETCH}, {Stage.RENDER, Stage.DELIVER}, set(Stage)])
def test_a_process_takes_the_steps_that_it_is_told_and_no_other(stages: set[Stage]) -> None:
    world = World()
    workers = assemble_workers(world.ports, world.policy, LINKS, frozenset(stages))
    assert set(workers.run.stages) == stages


def test_a_resend_and_a_redrive_wake_the_worker_of_the_step_that_is_next() -> None:
    world = SplitWorld(7)
    export = world.request()
    for stage in Stage:
        world.work_at(stage)
    world.mailer.script = [REFUSED_FOR_GOOD]
    world.services.resend(export.export_id, "user-1", "member@example.org")
    assert world.waiting_at() == [Stage.DELIVER]
    world.work_at(Stage.DELIVER)
    assert world.export(export).status is ExportStatus.FAILED
    list(world.services.redrive.redrive_all(dry_run=False))
    assert world.waiting_at() == [Stage.DELIVER]


def test_a_message_of_a_later_step_in_the_wrong_queue_is_passed_on_to_that_step() -> None:
    world = SplitWorld(7)
    world.request()
    world.work_at(Stage.FETCH)
    (message,) = world.queues.of[Stage.RENDER].messages
    world.queues.of[Stage.RENDER].lose_all()
    world.queues.send(message, Stage.FETCH)
    world.work_at(Stage.FETCH)
    assert world.waiting_at() == [Stage.RENDER]


def test_the_sweeper_sends_nothing_to_the_queue_of_a_later_step_that_holds_the_message() -> None:
    world = SplitWorld(7)
    world.request()
    world.work_at(Stage.FETCH)
    world.clock.advance(timedelta(seconds=31))
    world.services.sweep()
    assert [len(world.queues.of[stage].messages) for stage in Stage] == [0, 1, 0]


def test_what_workers_are_made_of() -> None:
    world = World()
    visited = list[object]()

    def visit_all(visit: Visit, exports: Iterable[Export]) -> Iterable[Sequence[SweepAction]]:
        visited.extend(exports)
        return map(visit, exports)

    workers = assemble_workers(world.ports, world.policy, LINKS, visit_all=visit_all)
    export = world.request()
    world.queue.lose_all()
    world.clock.advance(timedelta(seconds=31))
    workers.sweep()
    assert visited == [export]
    assert workers.run.settle == workers.sweep.settle
    assert workers.run.settle.mailer is world.mailer
