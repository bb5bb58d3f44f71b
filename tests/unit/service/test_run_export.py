"""One export from message to mail: what a worker makes of it when nothing comes in between."""

from datetime import timedelta
from hashlib import sha256

import pytest

from memberships_export.domain.export.record import Delivery, Evidence, Export, ExportStatus
from memberships_export.domain.formats.options import Preset, of_preset
from memberships_export.domain.mail.mail import SendResult
from tests.factories import a_membership
from tests.fakes.memory import ListSource, MemoryStore, PageCall
from tests.fakes.world import World, attachment


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
    world.request(options=of_preset(Preset.RAW))
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
    world.services.resend(export.export_id, "user-1", "member@example.org")
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


def _quoted(line: str) -> str:
    return ",".join(f'"{cell}"' for cell in line.strip().split(",")) + "\r\n"


ROW = "1,00000000-0000-0000-0000-000000000001,Gold Plan,user-1,150.00,2026-01-01,,active,,credit card,monthly,12\r\n"
HEADER = (
    "id,uuid,name,userId,recurringPrice,validFrom,validUntil,state,assignedBy,paymentMethod,billingInterval,"
    "billingPeriods\r\n"
)
LABELS = (
    "ID,UUID,Name,User ID,Price,Valid from,Valid until,Status,Assigned by,Payment method,Billing interval,"
    "Billing periods\r\n"
)


@pytest.mark.parametrize(
    "preset, content",
    [
        (Preset.RAW, HEADER + ROW),
        (Preset.SPREADSHEET, "\ufeff" + "".join(_quoted(line) for line in (LABELS, ROW))),
    ],
)
def test_the_file_is_this_byte_for_byte_and_its_record_describes_it(preset: Preset, content: str) -> None:
    world = World(1)
    export = world.request(options=of_preset(preset))
    world.work()
    sent = attachment(world.mails[0])
    assert sent.decode() == content
    done = world.export(export)
    assert done.file is not None
    assert world.files.content[done.file.key] == sent
    assert done.file.key.startswith(f"csv/{export.export_id}/1-")
    assert done.file.key.endswith(".csv")
    assert (done.file.name, done.file.rows, done.file.bytes) == ("memberships-2026-03-01.csv", 1, len(sent))
    assert done.file.sha256 == sha256(sent).hexdigest()
    assert done.progress.bytes == len(ListSource([a_membership(1)]).page(PageCall("user-1", None, 3)))


def test_what_the_mail_service_answered_is_on_the_record() -> None:
    world = World(1, mails=[SendResult(evidence=Evidence.ACCEPTED, message_id="m-7", detail="202 Accepted")])
    export = world.request()
    world.work()
    (send,) = world.export(export).sends
    assert (send.message_id, send.detail) == ("m-7", "202 Accepted")
