"""One export from message to mail, and everything that can come in between."""

import json
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from memberships_export.domain.errors import (
    ExportError,
    ForeignRows,
    MembershipsContractBroken,
    MembershipsUnavailable,
    StorageUnavailable,
)
from memberships_export.domain.export.policy import AfterUnknownSend
from memberships_export.domain.export.record import Delivery, Evidence, Export, ExportStatus, Lease, Owed, Stage
from memberships_export.domain.formats.options import Preset
from memberships_export.domain.mail.mail import Mail, SendResult
from memberships_export.domain.messages.message import Message, Received
from memberships_export.domain.messages.wake import wake_message
from memberships_export.service.file_keys import part_key
from memberships_export.service.worker.run import Acknowledge, GiveBack
from tests.factories import a_membership
from tests.fakes.memory import ListSource, MemoryFiles, MemoryStore
from tests.fakes.world import DOUBTFUL, LINKS, REFUSED_FOR_GOOD, REFUSED_FOR_NOW, SILENT, TOO_LARGE, World

ROWS = [a_membership(n + 1) for n in range(7)]


def attachment(mail: Mail) -> bytes:
    assert mail.attachment is not None
    return mail.attachment.content


def test_an_export_goes_from_request_to_mail() -> None:
    world = World(7)
    export = world.request()
    world.work()
    done = world.export(export)
    assert done.status is ExportStatus.COMPLETED
    assert done.file is not None
    assert (done.file.rows, done.progress.rows, done.progress.total, done.progress.pages) == (7, 7, 7, 3)
    (mail,) = world.mails
    assert mail.to == "member@example.org"
    assert len(attachment(mail)) == done.file.bytes
    assert attachment(mail).count(b"\r\n") == 8
    assert done.delivery is Delivery.ACCEPTED
    assert not world.queue.messages


def test_an_export_of_no_rows_is_a_header_and_a_mail() -> None:
    world = World(0)
    export = world.request()
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert attachment(world.mails[0]).count(b"\r\n") == 1


def test_the_preset_of_the_request_decides_the_format() -> None:
    world = World(1)
    world.request(preset=Preset.RAW)
    world.work()
    assert attachment(world.mails[0]).startswith(b"id,uuid,name,")


def test_the_pages_of_a_finished_export_are_kept_as_long_as_its_file() -> None:
    world = World()
    world.request()
    world.work()
    assert {key.split("/")[0] for key in world.files.content} == {"parts", "csv"}
    world.pass_time(timedelta(days=7))
    assert not world.files.content


def test_the_file_of_a_finished_export_that_was_lost_is_made_again_from_its_pages_for_a_resend() -> None:
    world = World()
    export = world.request()
    world.work()
    before = world.export(export).file
    assert before is not None
    world.files.delete_folder("csv/" + export.export_id)
    world.services.resend(export.export_id, "user-1")
    world.work()
    again = world.export(export).file
    assert again is not None
    assert (again.sha256, len(world.mails), len(world.source.calls)) == (before.sha256, 2, 3)


class StoreThatRemembers(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.written = list[Export]()

    def replace(self, old: Export, new: Export) -> Export | None:
        self.written.append(new)
        return super().replace(old, new)


def test_what_was_rendered_is_recorded_with_the_send_intent_in_one_write() -> None:
    world = World()
    store = StoreThatRemembers()
    world.store = store
    world.services = world.over(world.ports)
    world.request()
    world.work()
    with_file = [write for write in store.written if write.file is not None]
    assert [len(write.sends) for write in with_file] == [1, 1], "the intent, then its outcome"


def test_the_same_message_again_changes_nothing_and_mails_nothing() -> None:
    world = World()
    world.request()
    world.queue.duplicate()
    world.queue.duplicate()
    world.work()
    assert len(world.mails) == 1
    assert not world.queue.messages


# --- The claim --------------------------------------------------------------------------------------------------------


def held_by_another(world: World, stalled_claims: int = 1) -> tuple[Export, Received]:
    export = world.request()
    lease = Lease(owner="other", until=world.clock() + timedelta(seconds=90))
    running = replace(
        export, status=ExportStatus.RUNNING, token=1, claims=1, lease=lease, stalled_claims=stalled_claims
    )
    stored = world.store.replace(export, running)
    received = world.queue.receive(0)
    assert stored is not None
    assert received is not None
    return stored, received


def test_a_message_that_finds_a_live_lease_is_given_back_for_later() -> None:
    world = World()
    _, received = held_by_another(world)
    assert world.services.run(received, lambda: False) == GiveBack(90.0)
    assert not world.mails


def test_a_live_lease_never_costs_a_message_its_last_receive() -> None:
    world = World()
    _, received = held_by_another(world)
    assert world.services.run(replace(received, receive_count=4), lambda: False) == Acknowledge()


def test_a_lease_that_ran_out_is_taken_over_under_a_higher_token() -> None:
    world = World()
    export, received = held_by_another(world)
    world.clock.advance(timedelta(seconds=91))
    world.services.run(received, lambda: False)
    assert world.export(export).token == 2
    assert world.export(export).status is ExportStatus.COMPLETED


def test_after_five_claims_without_progress_the_export_fails_and_is_a_dead_letter() -> None:
    world = World()
    export, received = held_by_another(world, stalled_claims=5)
    world.clock.advance(timedelta(seconds=91))
    world.services.run(received, lambda: False)
    failed = world.export(export)
    assert failed.failure is not None
    assert (failed.status, failed.failure.code) == (ExportStatus.FAILED, "no_progress")
    assert len(world.dead_letters.letters) == 1


def test_an_early_message_for_a_waiting_export_is_given_back() -> None:
    world = World(source=ListSource(ROWS, {1: MembershipsUnavailable()}))
    export = world.request()
    world.queue.duplicate()
    world.work()
    assert world.export(export).status is ExportStatus.WAITING
    assert len(world.source.calls) == 1


# --- Messages ---------------------------------------------------------------------------------------------------------


def test_a_plain_message_with_user_and_address_gets_a_record_and_a_mail() -> None:
    world = World()
    world.queue.send(Message("export please", {"userId": "user-1", "email": "plain@example.org"}))
    world.work()
    (export,) = world.store.records.values()
    assert (export.status, export.user_id, world.mails[0].to) == (
        ExportStatus.COMPLETED,
        "user-1",
        "plain@example.org",
    )


def test_a_plain_message_delivered_twice_is_one_export() -> None:
    world = World()
    world.queue.send(Message(json.dumps({"userId": "user-1", "email": "plain@example.org"})))
    world.queue.duplicate()
    world.work()
    assert len(world.store.records) == len(world.mails) == 1


@pytest.mark.parametrize(
    "body, attributes, reason",
    [
        ("not json", {}, "not JSON"),
        ("not json", {"userId": "u", "email": "a@example.org", "exportId": "x"}, "not JSON"),
        ("[1]", {}, "not a JSON object"),
        ('{"version": 2, "userId": "u", "email": "a@example.org"}', {}, "version '2'"),
        ('{"version": true, "userId": "u", "email": "a@example.org"}', {}, "version 'True'"),
        ('{"userId": "u"}', {}, "no email"),
        ('{"email": "a@example.org"}', {}, "no userId"),
        ("{}", {}, "no userId and no email"),
        ('{"userId": 7, "email": "a@example.org"}', {}, "userId is not text"),
        ('{"userId": "u", "email": "a@example.org"}', {"userId": "v"}, "userId differs"),
        ('{"userId": "u", "email": "a@example.org\\r\\nBcc: b@example.org"}', {}, "one plain address"),
        ('{"userId": "u", "email": "a@example.org", "exportId": "none"}', {}, "There is no export none"),
        ("[" * 100_000, {}, "not JSON"),
    ],
)
def test_a_message_nobody_can_act_on_is_a_dead_letter_with_the_reason(
    body: str, attributes: dict[str, str], reason: str
) -> None:
    world = World()
    world.queue.send(Message(body, attributes))
    export = world.request()
    world.work()
    (letter,) = world.dead_letters.letters
    assert reason in letter.message.attributes["reason"]
    assert letter.message.attributes["errorCode"] == "invalid_message"
    assert letter.message.body == body
    assert world.export(export).status is ExportStatus.COMPLETED, "the others go on"


def test_a_message_with_too_much_in_it_still_becomes_a_letter_with_the_reason() -> None:
    world = World()
    strange = {f"x-{n}": "y" for n in range(10)}
    world.queue.send(Message("not json", strange))
    world.queue.send(Message("ü" * 520_000))
    world.work()
    first, second = (letter.message for letter in world.dead_letters.letters)
    assert not strange.keys() & first.attributes.keys()
    assert second.body == "ü" * 500_000
    assert "not JSON" in first.attributes["reason"]
    assert "not JSON" in second.attributes["reason"]


def test_a_message_with_another_address_than_the_record_mails_nobody() -> None:
    world = World()
    export = world.request()
    world.queue.lose_all()
    forged = wake_message(replace(export, email="thief@example.org"))
    world.queue.send(forged)
    world.work()
    assert not world.mails
    assert "another user or address" in world.dead_letters.letters[0].message.attributes["reason"]


# --- Fetch ------------------------------------------------------------------------------------------------------------


def test_trouble_with_the_api_waits_and_goes_on_where_it_stopped() -> None:
    world = World(source=ListSource(ROWS, {2: MembershipsUnavailable("down"), 3: MembershipsUnavailable("still down")}))
    export = world.request()
    world.work()
    waiting = world.export(export)
    assert waiting.trouble is not None
    assert (waiting.status, waiting.stage, waiting.trouble.reason) == (ExportStatus.WAITING, Stage.FETCH, "down")
    assert waiting.progress.rows == 3
    assert not world.queue.messages, "the message is acknowledged: the record wakes itself"
    world.pass_time(steps=2)
    assert world.export(export).status is ExportStatus.COMPLETED
    assert [call.cursor for call in world.source.calls] == [None, "3:7", "3:7", "3:7", "6:7"]


def test_retry_after_is_honoured() -> None:
    world = World(source=ListSource(ROWS, {1: MembershipsUnavailable("429", retry_after=600)}))
    export = world.request()
    world.work()
    assert world.export(export).wake_at == world.clock() + timedelta(seconds=600)


def test_an_outage_of_a_day_ends_in_failure_with_the_reason() -> None:
    down = {n: MembershipsUnavailable("connection refused") for n in range(1, 1000)}
    world = World(source=ListSource(ROWS, down))
    export = world.request()
    world.work()
    world.pass_time(timedelta(minutes=16), steps=89)
    assert world.export(export).status is ExportStatus.WAITING, "after 23 hours and 44 minutes"
    world.pass_time(timedelta(minutes=16), steps=3)
    failed = world.export(export)
    assert failed.failure is not None
    assert failed.failure.code == "gave_up_waiting"
    assert "24 hours" in failed.failure.reason
    assert "connection refused" in failed.failure.reason


def test_an_outage_that_ends_in_time_costs_nothing() -> None:
    down = {n: MembershipsUnavailable() for n in range(1, 60)}
    world = World(source=ListSource(ROWS, down))
    export = world.request()
    world.pass_time(timedelta(minutes=16), steps=60)
    assert world.export(export).status is ExportStatus.COMPLETED
    assert not world.dead_letters.letters


@pytest.mark.parametrize(
    "rows, code",
    [
        ([a_membership(1), a_membership(2, userId="user-2")], "foreign_rows"),
        ([a_membership(1), a_membership(1)], "memberships_contract_broken"),
        ([a_membership(1, recurringPrice=None)], "memberships_contract_broken"),
    ],
)
def test_rows_that_cannot_be_believed_fail_the_export_and_are_never_mailed(
    rows: list[dict[str, object]], code: str
) -> None:
    world = World(source=ListSource(rows, leaks=True))
    export = world.request()
    world.work()
    failed = world.export(export)
    assert failed.failure is not None
    assert failed.failure.code == code
    assert not world.mails
    assert not world.files.content, "nothing of it is kept"
    assert len(world.failure_mails) == 1


class WrongTotal(ListSource):
    def _page(self, request: object) -> bytes:
        return super()._page(request).replace(b'"total":7', b'"total":8')  # type: ignore[arg-type]


def test_fewer_rows_than_announced_fail_the_export() -> None:
    world = World(source=WrongTotal(ROWS))
    export = world.request()
    world.work()
    failed = world.export(export)
    assert failed.failure is not None
    assert failed.failure.code == "row_count_mismatch"
    assert "announced 8 memberships and sent 7" in failed.failure.reason
    assert not world.mails


def test_a_page_stored_by_a_worker_that_died_before_its_checkpoint_is_not_fetched_again() -> None:
    world = World(7)
    export = world.request()
    world.work_once(should_stop=iter([False, True]).__next__)  # one page, then stop
    page_two = world.source.fetch(replace(world.source.calls[0], cursor="3:7"))
    key = next(iter(world.files.content)).split("/")[1]
    world.files.put_once(part_key(key, 1, "3:7"), page_two)
    world.source.calls.clear()
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert [call.cursor for call in world.source.calls] == ["6:7"]


def test_rows_added_while_the_export_runs_do_not_appear() -> None:
    source = ListSource(ROWS)
    source.before[2] = lambda: source.rows.append(a_membership(99))
    world = World(source=source)
    export = world.request()
    world.work()
    assert world.export(export).progress.rows == 7


# --- Render -----------------------------------------------------------------------------------------------------------


def test_a_lost_part_is_fetched_again_and_the_others_are_not() -> None:
    world = World(7, mails=[REFUSED_FOR_NOW])
    export = world.request()
    world.work()
    lost = max(key for key in world.files.content if key.startswith("parts/"))
    del world.files.content[lost]
    for key in [key for key in world.files.content if key.startswith("csv/")]:
        del world.files.content[key]
    world.source.calls.clear()
    world.pass_time()
    waiting = world.export(export)
    assert waiting.trouble is not None
    assert (waiting.status, waiting.trouble.code) == (ExportStatus.WAITING, "file_missing"), "two losses in a row"
    world.pass_time()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert [call.cursor for call in world.source.calls] == ["6:7"]


class FilesThatVanish(MemoryFiles):
    """Keeps no CSV for as long as it takes to read it."""

    def __init__(self) -> None:
        super().__init__()
        self.rendered = 0

    def read(self, key: str) -> bytes | None:
        if not key.startswith("csv/"):
            return super().read(key)
        self.rendered += 1
        return None


def test_a_file_that_vanishes_each_time_is_made_ever_less_often_and_in_the_end_given_up() -> None:
    world = World()
    files = world.files = FilesThatVanish()
    world.services = world.over(world.ports)
    export = world.request()
    world.work()
    assert files.rendered == 2, "once more at once, then it waits"
    world.pass_time(timedelta(minutes=1), steps=25 * 60)
    failed = world.export(export)
    assert failed.failure is not None
    assert failed.failure.code == "gave_up_waiting"
    assert "A stored file of the export is not there" in failed.failure.reason
    assert files.rendered < 200


def test_a_file_that_was_missing_is_forgotten_once_it_is_read() -> None:
    world = World(7, mails=[REFUSED_FOR_NOW, REFUSED_FOR_NOW])
    export = world.request()
    world.work()
    for key in [key for key in world.files.content if key.startswith("csv/")]:
        del world.files.content[key]
    world.pass_time()
    waiting = world.export(export)
    assert waiting.trouble is not None
    assert (waiting.trouble.code, waiting.trouble.count) == ("mail_refused_for_now", 1)


def test_a_lost_file_is_rendered_again_before_it_is_mailed() -> None:
    world = World(7, mails=[REFUSED_FOR_NOW])
    export = world.request()
    world.work()
    for key in [key for key in world.files.content if key.startswith("csv/")]:
        del world.files.content[key]
    world.pass_time()
    done = world.export(export)
    assert done.status is ExportStatus.COMPLETED
    assert attachment(world.mails[-1]).count(b"\r\n") == 8


def test_a_missing_row_is_noticed_before_anything_is_mailed() -> None:
    world = World(7, mails=[REFUSED_FOR_NOW])
    export = world.request()
    world.work()
    for key, content in list(world.files.content.items()):
        if key.startswith("csv/"):
            del world.files.content[key]
        elif "/000002-" in key:
            page = json.loads(content)
            world.files.content[key] = json.dumps({**page, "items": []}).encode()
    world.pass_time()
    failed = world.export(export)
    assert failed.failure is not None
    assert "7 rows were fetched and 6 written" in failed.failure.reason
    assert len(world.mails) == 1, "the refused one"


# --- Deliver ----------------------------------------------------------------------------------------------------------


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
    assert "resend" in failed.failure.reason
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


# --- Trouble ----------------------------------------------------------------------------------------------------------


class BrokenFiles(MemoryFiles):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error: Exception | None = error

    def put_once(self, key: str, content: bytes) -> bool:
        if self.error:
            raise self.error
        return super().put_once(key, content)


def test_a_full_disk_is_waited_for() -> None:
    world = World()
    world.files = BrokenFiles(StorageUnavailable("The disk is full."))
    world.services = world.over(world.ports)
    export = world.request()
    world.work()
    waiting = world.export(export)
    assert waiting.trouble is not None
    assert waiting.trouble.reason == "The disk is full."
    world.files.error = None
    world.pass_time()
    assert world.export(export).status is ExportStatus.COMPLETED


def test_a_bug_is_retried_five_times_then_failed_without_its_details_on_the_record(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.files = BrokenFiles(KeyError("member@example.org"))
    world.services = world.over(world.ports)
    export = world.request()
    world.work()
    assert world.export(export).status is ExportStatus.WAITING
    world.pass_time(steps=8)
    failed = world.export(export)
    assert failed.failure is not None
    assert (failed.failure.code, failed.claims) == ("no_progress", 5)
    assert "KeyError" in failed.failure.reason
    assert "member@example.org" not in failed.failure.reason
    assert "Traceback" in caplog.text


def test_a_failed_export_is_a_dead_letter_with_reasons_and_no_row_data() -> None:
    world = World(source=ListSource(ROWS, {2: ForeignRows()}))
    export = world.request()
    world.work()
    (letter,) = world.dead_letters.letters
    attributes = dict(letter.message.attributes)
    assert attributes.pop("failedAt") == world.clock().isoformat()
    assert attributes == {
        "userId": "user-1",
        "email": "member@example.org",
        "exportId": export.export_id,
        "stage": "fetch",
        "errorCode": "foreign_rows",
        "reason": "The memberships API sent memberships of another user.",
        "attempts": "1",
    }
    assert world.export(export).owed == ()


def test_what_a_failed_export_owes_is_paid_by_the_sweeper_when_the_worker_cannot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(source=ListSource(ROWS, {1: MembershipsContractBroken()}))
    export = world.request()

    def unavailable(message: Message) -> None:
        raise StorageUnavailable(message.body[:1])

    with monkeypatch.context() as patch:
        patch.setattr(world.dead_letters, "add", unavailable)
        with pytest.raises(StorageUnavailable):
            world.work()
    assert world.export(export).owed == (Owed.DEAD_LETTER, Owed.FAILURE_MAIL)
    world.pass_time(timedelta(minutes=6))
    assert world.export(export).owed == ()
    assert len(world.dead_letters.letters) == 1
    assert len(world.failure_mails) == 1


# --- Stop -------------------------------------------------------------------------------------------------------------


def test_a_worker_that_must_stop_checkpoints_and_requeues() -> None:
    world = World(7)
    export = world.request()
    world.work_once(should_stop=iter([False, True]).__next__)
    stopped = world.export(export)
    assert (stopped.status, stopped.progress.pages, stopped.lease) == (ExportStatus.QUEUED, 1, None)
    assert len(world.queue.messages) == 1
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert len(world.source.calls) == 3


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
    assert len(world.source.calls) == 3


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


# --- Fencing and cancelling -------------------------------------------------------------------------------------------


def test_a_worker_whose_export_was_cancelled_stops_at_its_next_write() -> None:
    source = ListSource(ROWS)
    world = World(source=source)
    export = world.request()
    source.before[2] = lambda: world.services.cancel(export.export_id, "user-1")
    world.work()
    assert world.export(export).status is ExportStatus.CANCELLED
    assert len(source.calls) == 2
    assert not world.mails
    world.pass_time(timedelta(minutes=2))
    assert not world.files.content, "the parts are deleted"


def test_a_stale_worker_changes_nothing() -> None:
    source = ListSource(ROWS)
    world = World(source=source)
    export = world.request()

    def another_takes_over() -> None:
        world.clock.advance(timedelta(minutes=2))
        world.services.sweep()
        world.work()

    source.before[2] = another_takes_over
    world.work()
    done = world.export(export)
    assert (done.status, done.token) == (ExportStatus.COMPLETED, 2)
    assert len(world.mails) == 1


def test_a_fenced_out_worker_still_reports_that_its_mail_was_accepted() -> None:
    world = World()

    def slow_success(mail: Mail) -> SendResult:
        world.clock.advance(timedelta(minutes=2))
        world.services.sweep()
        world.work()  # another worker claims, finds the open send and waits for evidence
        return SendResult(evidence=Evidence.ACCEPTED, message_id=mail.intent)

    world.mailer.script.append(slow_success)
    export = world.request()
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert len(world.mails) == 1


def test_a_cancelled_export_whose_mail_got_through_stays_cancelled_and_says_so() -> None:
    world = World()

    def cancelled_meanwhile(mail: Mail) -> SendResult:
        world.services.cancel(export.export_id, "user-1")
        return SendResult(evidence=Evidence.ACCEPTED, message_id=mail.intent)

    world.mailer.script.append(cancelled_meanwhile)
    export = world.request()
    world.work()
    assert world.export(export).status is ExportStatus.CANCELLED
    assert world.export(export).delivery is Delivery.ACCEPTED


@pytest.mark.parametrize("error", [MembershipsUnavailable(), MembershipsContractBroken(), KeyError("x")])
def test_trouble_of_a_worker_that_lost_its_lease_is_nobodys_trouble(error: Exception) -> None:
    source = ListSource(ROWS)
    world = World(source=source)
    export = world.request()

    def cancelled_then_trouble() -> None:
        world.services.cancel(export.export_id, "user-1")
        raise error

    source.before[2] = cancelled_then_trouble
    world.work()
    assert world.export(export).status is ExportStatus.CANCELLED
    assert isinstance(error, ExportError | KeyError)
