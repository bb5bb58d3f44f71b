"""Events of the mail service about mails that the records do not have."""

import pytest

from memberships_export.domain.errors import UnreadableRecord
from memberships_export.domain.export.delivery import SendFact
from memberships_export.domain.export.record import Delivery, Evidence, Export
from memberships_export.service.mail_events.record_mail_events import MailEvent
from tests.fakes.memory import MemoryStore
from tests.fakes.world import World


def test_an_event_about_a_send_that_its_export_never_had_changes_nothing() -> None:
    world = World()
    export = world.request()
    world.work()
    before = world.export(export)
    bounced = SendFact(number=9, evidence=Evidence.ACCEPTED, delivery=Delivery.BOUNCED)
    assert world.services.record_mail_events([MailEvent(export.export_id, bounced)]) == 1
    assert world.export(export).sends == before.sends


def test_an_event_whose_message_id_leads_to_an_export_without_such_a_mail_is_passed_over() -> None:
    class OldIndex(MemoryStore):
        """Finds some record by any message id."""

        def find_by_message_id(self, message_id: str) -> Export | None:  # noqa: ARG002  (the port's)
            return next(iter(self.records.values()))

    world = World()
    world.store = OldIndex()
    world.services = world.over(world.ports)
    export = world.request()
    world.work()
    before = world.export(export)
    bounced = SendFact(number=0, evidence=Evidence.ACCEPTED, message_id="other", delivery=Delivery.BOUNCED)
    assert world.services.record_mail_events([MailEvent(None, bounced)]) == 0
    assert world.export(export) == before


def test_a_record_that_cannot_be_read_keeps_no_other_event_of_the_batch_from_being_noted() -> None:
    world = World()
    lost, well = world.request("user-1"), world.request("user-2")
    world.work()
    world.store.spoil(world.export(lost))
    bounced = SendFact(number=1, evidence=Evidence.ACCEPTED, delivery=Delivery.BOUNCED)
    with pytest.raises(UnreadableRecord):
        world.services.record_mail_events([MailEvent(one.export_id, bounced) for one in (lost, well)])
    assert world.export(well).delivery is Delivery.BOUNCED
