"""A worker that has to stop leaves its export to the next."""

from itertools import count

from memberships_export.domain.export.record import ExportStatus, Stage
from tests.fakes.world import World


def test_a_worker_that_must_stop_checkpoints_and_requeues() -> None:
    world = World(7)
    export = world.request()
    world.work_once(should_stop=iter([False, True]).__next__)
    stopped = world.export(export)
    assert (stopped.status, stopped.progress.pages, stopped.lease) == (ExportStatus.QUEUED, 1, None)
    assert len(world.queue.messages) == 1
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert [call.cursor for call in world.source.calls] == [None, "3:7", "3:7", "6:7"], "one page was under way"


def test_stopping_again_and_again_in_good_order_is_not_a_failure() -> None:
    world = World(7)
    export = world.request()
    for _ in range(8):
        world.work_once(should_stop=lambda: True)
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED


def test_a_worker_that_must_stop_while_rendering_leaves_no_half_file() -> None:
    world = World(7)
    export = world.request()
    world.work_once(should_stop=iter([False, False, False, False, True]).__next__)
    assert world.export(export).stage is Stage.RENDER
    assert all(key.startswith("parts/") for key in world.files.content)
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED


def test_a_file_that_no_worker_has_the_time_to_render_fails_instead_of_being_begun_for_ever() -> None:
    world = World(7)
    export = world.request()
    for _ in range(9):
        asked = count()
        world.work_once(should_stop=lambda asked=asked: next(asked) > 1)  # type: ignore[misc]
    failed = world.export(export)
    assert (failed.status, failed.stage) == (ExportStatus.FAILED, Stage.RENDER)
    assert failed.failure is not None
    assert failed.failure.code == "no_progress"
    assert [call.cursor for call in world.source.calls] == [None, "3:7", "6:7", "6:7"], "one page was under way"


def test_a_worker_that_must_stop_does_not_begin_to_send() -> None:
    world = World(7)
    export = world.request()
    world.work_once(should_stop=iter([False] * 6 + [True]).__next__)
    stopped = world.export(export)
    assert (stopped.status, stopped.stage, stopped.sends) == (ExportStatus.QUEUED, Stage.DELIVER, ())
    world.work()
    assert len(world.mails) == 1


def test_a_worker_whose_time_went_by_while_it_read_the_file_does_not_begin_to_send() -> None:
    world = World(7)
    export = world.request()
    world.work_once(should_stop=iter([False] * 7 + [True]).__next__)
    stopped = world.export(export)
    assert (stopped.status, stopped.stage, stopped.sends) == (ExportStatus.QUEUED, Stage.DELIVER, ())
    assert not world.mails


def test_a_file_that_no_worker_has_the_time_to_check_fails_instead_of_being_checked_for_ever() -> None:
    world = World(7, attachment_limit=10)
    export = world.request()
    for _ in range(9):
        asked = count()
        stage = world.export(export).stage
        steps = 0 if stage is Stage.DELIVER else 7
        world.work_once(should_stop=lambda asked=asked, steps=steps: next(asked) > steps)  # type: ignore[misc]
    failed = world.export(export)
    assert (failed.status, failed.stage, world.mails) == (ExportStatus.FAILED, Stage.DELIVER, [])
    assert failed.failure is not None
    assert failed.failure.code == "no_progress"


def test_a_worker_that_must_stop_before_the_first_row_is_rendered_has_lost_nothing() -> None:
    world = World(7)
    export = world.request()
    world.work_once(should_stop=iter([False, False, False, True]).__next__)
    assert world.export(export).stage is Stage.RENDER
    for _ in range(9):
        world.work_once(should_stop=lambda: True)
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
