"""What users see and do: status, file, cancel, resend."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from memberships_export.domain.errors import FileGone, IllegalTransition, RateLimited, StorageUnavailable, UnknownExport
from memberships_export.domain.export.delivery import SendFact
from memberships_export.domain.export.record import Delivery, Evidence, Export, ExportStatus, Stage
from memberships_export.domain.formats.formats import file_format
from memberships_export.domain.formats.options import Format, Options
from memberships_export.domain.messages.message import Message
from memberships_export.ports import Download
from memberships_export.service.mail_events.record_mail_events import MailEvent
from tests.factories import an_export
from tests.fakes.memory import MemoryFiles
from tests.fakes.world import LINKS, SILENT, World


def completed(world: World) -> Export:
    export = world.request()
    world.work()
    return world.export(export)


def token_of(export: Export) -> str:
    return LINKS.url(export).rsplit("/", 1)[1]


def test_somebody_elses_export_is_as_unknown_as_one_that_never_was() -> None:
    world = World()
    export = completed(world)
    for export_id, user_id in [(export.export_id, "user-2"), ("none", "user-1")]:
        resend = partial(world.services.resend, email="member@example.org")
        for use in (world.services.read.get, world.services.read.file, world.services.cancel, resend):
            with pytest.raises(UnknownExport) as unknown:
                use(export_id, user_id)
            assert export.export_id not in str(unknown.value)


def test_a_user_sees_their_own_exports_newest_first() -> None:
    world = World()
    ids = []
    for _ in range(3):
        ids.append(completed(world).export_id)
        world.clock.advance(timedelta(seconds=1))
    world.request(user_id="user-2")
    assert [export.export_id for export in world.services.read.list("user-1", 2)] == ids[:0:-1]


def test_the_file_is_the_one_that_was_mailed() -> None:
    world = World()
    export = completed(world)
    answer = world.services.read.file(export.export_id, "user-1")
    assert world.mails[0].attachment is not None
    assert (answer.file, answer.content_type, answer.url) == (export.file, "text/csv; charset=utf-8", None)
    assert b"".join(answer.chunks) == world.mails[0].attachment.content


def test_a_file_that_is_not_made_yet_has_expired_or_is_lost_is_gone_and_says_why() -> None:
    world = World()
    export = world.request()
    read = world.services.read
    with pytest.raises(FileGone, match="it is queued"):
        read.file(export.export_id, "user-1")
    world.work()
    world.files.content.clear()
    with pytest.raises(FileGone, match="not in the file store"):
        read.file(export.export_id, "user-1")
    world.clock.advance(timedelta(days=7))
    with pytest.raises(FileGone, match=r"expired on 2026-03-08 12:00 UTC"):
        read.file(export.export_id, "user-1")


def test_a_damaged_file_is_refused_with_what_to_do_and_the_log_says_what_was_found(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    export = completed(world)
    assert export.file is not None
    world.files.content[export.file.key] += b"!"
    with pytest.raises(FileGone) as gone:
        world.services.read.file(export.export_id, "user-1")
    assert gone.value.reason == (
        f"The file of export {export.export_id} is damaged. Have it sent again (resend): it is made anew then."
    )
    key, size = export.file.key, export.file.bytes
    assert caplog.messages == [
        (
            f"export={export.export_id} key={key} event=damaged reason=The stored file {key} is damaged: "
            f"it has {size + 1} bytes where {size} were stored. It is not used, and made anew."
        )
    ]


def test_a_file_of_another_content_is_damaged_although_its_length_is_right(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    export = completed(world)
    assert export.file is not None
    world.files.content[export.file.key] = b"x" * export.file.bytes
    with pytest.raises(FileGone):
        world.services.read.file(export.export_id, "user-1")
    assert f"{export.file.key} is damaged: its SHA-256 is not the one it was stored with." in caplog.text


class SigningFiles(MemoryFiles):
    def signed_url(self, key: str, download: Download, seconds: int) -> str | None:
        return f"https://files.example.org/{key}?name={download.filename}&type={download.content_type}&for={seconds}"


def test_a_store_that_signs_urls_is_asked_for_a_short_one() -> None:
    world = World()
    world.files = SigningFiles()
    world.services = world.over(world.ports)
    export = completed(world)
    answer = world.services.read.file(export.export_id, "user-1")
    assert export.file is not None
    asked = "name=memberships-2026-03-01.csv&type=text/csv; charset=utf-8&for=60"
    assert answer.url == f"https://files.example.org/{export.file.key}?{asked}"
    assert (answer.file, answer.content_type, list(answer.chunks)) == (export.file, "text/csv; charset=utf-8", [])


@pytest.mark.parametrize("kind", Format)
def test_a_signed_url_serves_each_format_as_what_it_is(kind: Format) -> None:
    world = World()
    world.files = SigningFiles()
    world.services = world.over(world.ports)
    world.request(options=Options(format=kind))
    world.work()
    (export,) = world.store.records.values()
    answer = world.services.read.file(export.export_id, "user-1")
    served = f"name=memberships-2026-03-01.{file_format(kind).ending}&type={file_format(kind).content_type}&for=60"
    assert str(answer.url).endswith(f"?{served}")


def test_a_mailed_link_opens_the_file_as_often_as_it_is_followed() -> None:
    world = World()
    export = completed(world)
    for _ in range(10):
        answer = world.services.read.file_by_link(export.export_id, token_of(export))
        assert len(b"".join(answer.chunks)) == answer.file.bytes


def test_a_wrong_link_opens_nothing() -> None:
    world = World()
    export = completed(world)
    for export_id, token in [(export.export_id, "x" * 43), (export.export_id, "ü"), ("none", token_of(export))]:
        with pytest.raises(UnknownExport):
            world.services.read.file_by_link(export_id, token)


def test_links_that_were_mailed_before_an_update_still_open_after_it() -> None:
    export = an_export(export_id="5f6a0a3e-0c0c-4d6e-9a3b-2f1d8c7b6a50", link_generation=3)
    token = "ut3itURfxdulrHLlTzMnC9Xi4Ic_4OoYk7tfY7akp6g"
    assert LINKS.url(export) == f"https://exports.example.org/memberships/exports/{export.export_id}/download/{token}"
    assert LINKS.opens(export, token)
    for other in (replace(export, link_generation=2), replace(export, export_id=export.export_id[:-1] + "1")):
        assert not LINKS.opens(other, token)
    assert not replace(LINKS, secret=lambda: "t" * 32).opens(export, token)


def test_a_resend_mails_the_stored_file_again_and_revokes_the_earlier_link() -> None:
    world = World(attachment_limit=10)
    export = completed(world)
    world.source.calls.clear()
    world.services.resend(export.export_id, "user-1", "member@example.org")
    world.work()
    again = world.export(export)
    assert (again.status, len(world.mails), world.source.calls) == (ExportStatus.COMPLETED, 2, [])
    with pytest.raises(UnknownExport):
        world.services.read.file_by_link(export.export_id, token_of(export))
    assert world.services.read.file_by_link(export.export_id, token_of(again)).file == again.file


def test_a_resend_whose_message_cannot_be_sent_is_carried_out_by_the_sweeper(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    export = completed(world)

    def unavailable(message: Message, _: Stage) -> None:
        raise StorageUnavailable(message.body[:1])

    with monkeypatch.context() as patch:
        patch.setattr(world.queue, "send", unavailable)
        world.services.resend(export.export_id, "user-1", "member@example.org")
    world.pass_time(timedelta(seconds=31))
    assert len(world.mails) == 2


def test_two_resends_at_once_are_one() -> None:
    world = World()
    export = completed(world)
    world.services.resend(export.export_id, "user-1", "member@example.org")
    with pytest.raises(IllegalTransition, match="is queued: resend is not possible"):
        world.services.resend(export.export_id, "user-1", "member@example.org")


def test_resending_is_limited_like_requesting() -> None:
    world = World(max_exports_per_hour=3)
    export = completed(world)
    for _ in range(2):
        world.services.resend(export.export_id, "user-1", "member@example.org")
        world.work()
    with pytest.raises(RateLimited) as refused:
        world.services.resend(export.export_id, "user-1", "member@example.org")
    assert refused.value.retry_after == 3600


def test_a_resend_beside_a_new_export_is_refused() -> None:
    world = World()
    export = completed(world)
    world.request()
    with pytest.raises(IllegalTransition, match="Another export"):
        world.services.resend(export.export_id, "user-1", "member@example.org")


def test_after_a_resend_a_late_event_of_the_first_mail_does_not_complete_the_second() -> None:
    world = World(mails=[SILENT])
    export = world.request()
    world.work()
    event = MailEvent(export.export_id, SendFact(number=1, evidence=Evidence.ACCEPTED, delivery=Delivery.DELIVERED))
    assert world.services.record_mail_events([event]) == 1
    assert world.export(export).status is ExportStatus.COMPLETED
    world.services.resend(export.export_id, "user-1", "member@example.org")
    world.services.record_mail_events([event])
    assert world.export(export).status is ExportStatus.QUEUED
    assert world.export(export).delivery is None


def test_an_event_in_time_prevents_the_second_send() -> None:
    world = World(mails=[SILENT])
    export = world.request()
    world.work()
    world.services.record_mail_events([MailEvent(export.export_id, SendFact(number=1, evidence=Evidence.ACCEPTED))])
    world.pass_time(steps=3)
    assert len(world.mails) == 1


def test_an_event_that_is_told_again_is_not_counted_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world = World()
    export = completed(world)
    bounced = SendFact(number=1, evidence=Evidence.ACCEPTED, delivery=Delivery.BOUNCED, detail="no such user")
    assert world.services.record_mail_events([MailEvent(export.export_id, bounced)] * 3) == 3
    assert caplog.text.count("delivery=bounced event=mail_event") == 1


def test_an_event_that_is_told_twice_at_once_is_counted_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world = World()
    export = completed(world)
    bounced = SendFact(number=1, evidence=Evidence.ACCEPTED, delivery=Delivery.BOUNCED)
    write = world.store.replace

    def written_by_another(old: Export, new: Export) -> Export | None:
        world.store.replace = write  # type: ignore[method-assign]
        write(old, new)
        return None

    world.store.replace = written_by_another  # type: ignore[method-assign]
    assert world.services.record_mail_events([MailEvent(export.export_id, bounced)]) == 1
    assert world.export(export).delivery is Delivery.BOUNCED
    assert "event=mail_event" not in caplog.text


def without_arguments(message_id: str | None) -> MailEvent:
    detail = "550 no such user"
    fact = SendFact(
        number=0, evidence=Evidence.ACCEPTED, message_id=message_id, delivery=Delivery.BOUNCED, detail=detail
    )
    return MailEvent(None, fact)


def test_a_bounce_without_arguments_is_matched_by_its_message_id(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world = World()
    export = completed(world)
    message_id = export.sends[0].message_id
    assert world.services.record_mail_events([without_arguments(message_id)] * 2) == 2
    assert world.export(export).delivery is Delivery.BOUNCED
    assert caplog.text.count(f"export={export.export_id} send=1 delivery=bounced event=mail_event") == 1
    assert "unmatched" not in caplog.text


def test_a_resent_mail_is_told_from_the_first_by_its_message_id() -> None:
    world = World()
    export = completed(world)
    world.services.resend(export.export_id, "user-1", "member@example.org")
    world.work()
    assert world.services.record_mail_events([without_arguments(export.sends[0].message_id)]) == 1
    deliveries = [send.delivery for send in world.export(export).sends]
    assert deliveries == [Delivery.BOUNCED, Delivery.ACCEPTED]


def test_events_that_match_no_mail_are_counted_in_one_line_of_a_batch(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world = World(mails=[SILENT])
    export = world.request()
    world.work()
    caplog.clear()
    events = [without_arguments("canary@example.org"), without_arguments("another"), without_arguments(None)]
    assert world.services.record_mail_events(events) == 0
    assert [record.getMessage() for record in caplog.records] == ["event=mail_events_unmatched count=3"]
    assert world.export(export).sends[0].evidence is Evidence.SILENT


def test_events_of_unknown_exports_are_passed_over() -> None:
    world = World()
    assert world.services.record_mail_events([MailEvent("none", SendFact(number=1, evidence=Evidence.ACCEPTED))]) == 0


def test_an_export_can_be_cancelled_while_it_is_under_way_and_only_then() -> None:
    world = World()
    export = world.request()
    assert world.services.cancel(export.export_id, "user-1").status is ExportStatus.CANCELLED
    with pytest.raises(IllegalTransition, match="is cancelled"):
        world.services.cancel(export.export_id, "user-1")
    world.work()
    assert not world.mails
