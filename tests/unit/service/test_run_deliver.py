"""What can come between the finished file and an accepted mail."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.export.policy import AfterUnknownSend
from memberships_export.domain.export.record import Evidence, Export, ExportStatus, Stage
from memberships_export.domain.mail.mail import Mail, SendResult
from tests.fakes.memory import MemoryStore
from tests.fakes.world import DOUBTFUL, LINKS, REFUSED_FOR_GOOD, REFUSED_FOR_NOW, SILENT, TOO_LARGE, World


def test_a_mail_refused_for_now_is_sent_later_without_fetching_or_rendering_again() -> None:
    world = World(7, mails=[REFUSED_FOR_NOW, REFUSED_FOR_NOW])
    export = world.request()
    world.work()
    keys = sorted(world.files.content)
    world.source.calls.clear()
    world.pass_time(steps=2)
    done = world.export(export)
    assert done.status is ExportStatus.COMPLETED
    assert not world.source.calls
    assert [key for key in world.files.content if key.startswith("csv/")] == keys[:1]
    assert [send.evidence for send in done.sends] == [Evidence.REFUSED, Evidence.REFUSED, Evidence.ACCEPTED]
    assert not any(send.possible_duplicate for send in done.sends)


def test_a_mail_refused_for_good_fails_the_export_with_the_reason_and_keeps_the_file() -> None:
    world = World(7, mails=[REFUSED_FOR_GOOD])
    export = world.request()
    world.work()
    failed = world.export(export)
    assert failed.failure is not None
    assert (failed.failure.stage, failed.failure.code) == (Stage.DELIVER, "mail_refused")
    assert "400 bad request" in failed.failure.reason
    assert failed.file is not None
    assert world.dead_letters.letters[0].message.attributes["stage"] == "deliver"


def test_an_attachment_that_is_too_large_for_the_mail_service_becomes_a_link_at_once() -> None:
    world = World(7, mails=[TOO_LARGE])
    export = world.request()
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    first, second = world.mails
    assert first.attachment is not None
    assert second.attachment is None
    assert LINKS.url(world.export(export)) in second.text


def test_a_link_that_is_too_large_fails() -> None:
    world = World(7, mails=[TOO_LARGE, TOO_LARGE])
    export = world.request()
    world.work()
    assert world.export(export).status is ExportStatus.FAILED


def test_a_file_over_the_limit_is_mailed_as_a_link() -> None:
    world = World(7, attachment_limit=100)
    world.request()
    world.work()
    assert world.mails[0].attachment is None


@pytest.mark.parametrize("unclear", [SILENT, DOUBTFUL])
def test_an_unclear_send_waits_for_evidence_then_is_sent_once_more_marked_as_possible_duplicate(
    unclear: SendResult,
) -> None:
    world = World(7, mails=[unclear])
    export = world.request()
    world.work()
    waiting = world.export(export)
    assert (waiting.status, waiting.wake_at) == (ExportStatus.WAITING, world.clock() + timedelta(minutes=15))
    assert waiting.trouble is not None
    assert (waiting.trouble.code, waiting.trouble.count) == ("delivery_unconfirmed", 1)
    world.pass_time(timedelta(minutes=14))
    assert len(world.mails) == 1
    world.pass_time(timedelta(minutes=2))
    done = world.export(export)
    assert done.status is ExportStatus.COMPLETED
    assert [send.possible_duplicate for send in done.sends] == [False, True]


def test_two_unclear_sends_are_not_followed_by_a_third() -> None:
    world = World(7, mails=[SILENT, SILENT])
    export = world.request()
    world.work()
    world.pass_time(steps=4)
    failed = world.export(export)
    assert failed.failure is not None
    assert failed.failure.code == "delivery_unknown"
    assert len(world.mails) == 2


def test_with_hold_an_unclear_send_is_left_to_a_person() -> None:
    world = World(7, mails=[SILENT], after_unknown_send=AfterUnknownSend.HOLD)
    export = world.request()
    world.work()
    world.pass_time(steps=2)
    failed = world.export(export)
    assert failed.failure is not None
    assert failed.failure.code == "delivery_unknown"
    assert failed.failure.reason == (
        "Nobody can tell whether the mail was accepted, so it is not sent again by itself. "
        "If it did not arrive, ask for it to be sent again (resend)."
    )
    assert len(world.mails) == 1


def test_a_worker_that_was_paused_too_long_before_the_first_byte_does_not_send(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(7)
    times = iter([0.0, 61.0])
    monkeypatch.setattr("memberships_export.service.worker.deliver.monotonic", lambda: next(times, 0.0))
    export = world.request()
    world.work()
    assert not world.mails
    assert world.export(export).status is ExportStatus.WAITING
    monkeypatch.undo()
    world.pass_time()
    assert world.export(export).status is ExportStatus.COMPLETED


def test_a_machine_that_was_suspended_before_the_first_byte_does_not_send() -> None:
    world = World(7)
    export, send = world.request(), world.mailer.send

    def suspended(mail: Mail, still_wanted: Callable[[], bool]) -> SendResult:
        world.clock.advance(timedelta(minutes=2))  # the other clock stood still
        return send(mail, still_wanted)

    world.mailer.send = suspended  # type: ignore[method-assign, assignment]
    world.work()
    assert not world.mails
    assert world.export(export).status is ExportStatus.WAITING
    world.mailer.send = send  # type: ignore[method-assign]
    world.pass_time()
    assert world.export(export).status is ExportStatus.COMPLETED


def test_a_mail_may_begin_until_the_very_end_of_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(7, send_time_limit=timedelta(seconds=60))
    times = iter([0.0, 60.0])
    monkeypatch.setattr("memberships_export.service.worker.deliver.monotonic", lambda: next(times))
    send = world.mailer.send

    def at_the_end(mail: Mail, still_wanted: Callable[[], bool]) -> SendResult:
        world.clock.advance(timedelta(seconds=60))
        return send(mail, still_wanted)

    world.mailer.send = at_the_end  # type: ignore[method-assign, assignment]
    world.request()
    world.work()
    assert len(world.mails) == 1


@pytest.mark.parametrize(
    "detail, said", [("429 too many requests", "429 too many requests"), (None, "it gave no reason")]
)
def test_a_refusal_is_told_with_its_reason_and_waits_as_long_as_it_asks(detail: str | None, said: str) -> None:
    world = World(mails=[SendResult(evidence=Evidence.REFUSED, detail=detail, retry_after=1234.0)])
    export = world.request()
    world.work()
    waiting = world.export(export)
    assert waiting.trouble is not None
    assert waiting.trouble.reason == f"The mail service refused the mail: {said}"
    assert waiting.wake_at == world.clock() + timedelta(seconds=1234)


class Died(BaseException):
    """Ends a worker in the middle of its work, as SIGKILL does."""


@pytest.mark.parametrize("repeatable, numbers", [(True, [1, 1]), (False, [1])])
def test_only_a_mailer_that_knows_repetitions_gets_the_mail_of_a_worker_that_died_again(
    repeatable: bool,  # noqa: FBT001
    numbers: list[int],
) -> None:
    world = World(1, repeatable=repeatable)

    def die(_: Mail) -> SendResult:
        raise Died

    world.mailer.script = [die]
    export = world.request()
    with pytest.raises(Died):
        world.work()
    world.pass_time(timedelta(minutes=6))
    assert [int(mail.intent.rpartition(":")[2]) for mail in world.mails] == numbers
    assert world.export(export).status is (ExportStatus.COMPLETED if repeatable else ExportStatus.WAITING)


class StoreThatHiccups(MemoryStore):
    """`fails`: how many writes fail from now on."""

    fails = 0

    def replace(self, old: Export, new: Export) -> Export | None:
        if self.fails:
            self.fails -= 1
            raise StorageUnavailable("locked")
        return super().replace(old, new)


@pytest.mark.parametrize("fails, noted", [(1, True), (3, True), (4, False)])
def test_an_answer_is_noted_at_the_fourth_try_at_the_latest(fails: int, noted: bool) -> None:  # noqa: FBT001
    world = World(1)
    store = StoreThatHiccups()
    world.store = store
    world.services = world.over(world.ports)

    def accept(_: Mail) -> SendResult:
        store.fails = fails
        return SendResult(evidence=Evidence.ACCEPTED, message_id="m-7")

    world.mailer.script = [accept]
    export = world.request()
    world.work()
    assert store.fails == 0
    (send,) = world.export(export).sends
    assert (send.evidence, send.message_id) == ((Evidence.ACCEPTED, "m-7") if noted else (None, None))
    assert (world.export(export).status is ExportStatus.COMPLETED) is noted
