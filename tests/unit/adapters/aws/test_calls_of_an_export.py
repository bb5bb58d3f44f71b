"""What one small export asks of AWS: each call costs time and money, so a new one has to be meant."""

from datetime import timedelta

from bench.facts import CALLS
from memberships_export.adapters.aws.dynamodb_audit import DynamoDbAuditLog
from memberships_export.adapters.aws.dynamodb_desk import DynamoDbExportDesk
from memberships_export.adapters.aws.dynamodb_erasures import DynamoDbErasures
from memberships_export.adapters.aws.dynamodb_store import DynamoDbExportStore
from memberships_export.adapters.aws.sqs_dead_letters import SqsDeadLetters
from memberships_export.adapters.aws.sqs_queue import SqsExportQueue
from memberships_export.adapters.texts.catalogues import Catalogues
from memberships_export.adapters.texts.mail_writer import TemplateMailWriter
from memberships_export.adapters.texts.zone_names import zone_names
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import ExportStatus
from memberships_export.domain.mail.brand import Brand
from memberships_export.ports import Ports
from memberships_export.service.assembly import assemble
from memberships_export.service.user.request import Wish
from memberships_export.service.worker.run import Acknowledge
from rig.aws.fake_aws import FakeAws
from tests.factories import a_membership
from tests.fakes.memory import FakeClock, ListSource, MemoryServiceState, ScriptedMailer
from tests.fakes.world import LINKS
from tests.readers import readers


def ports(aws: FakeAws) -> Ports:
    clock, pair, table = FakeClock(), aws.new_queues(), aws.new_table()
    return Ports(
        store=DynamoDbExportStore(aws.dynamodb, table, clock),
        desk=DynamoDbExportDesk(aws.dynamodb, table, clock),
        state=MemoryServiceState(),  # a process reads it once in ten seconds, however many exports it works on
        queue=SqsExportQueue(aws.sqs, pair.url),
        dead_letters=SqsDeadLetters(aws.sqs, pair.dead_letters_url),
        files=aws.files(aws.new_bucket()),
        erasures=DynamoDbErasures(aws.dynamodb, table),
        mailer=ScriptedMailer(),
        source=ListSource([a_membership(number) for number in range(1, 11)]),
        clock=clock,
        readers=readers(),
        translations=Catalogues(),
        mail_writer=TemplateMailWriter(Brand(), strict=True),
        zone_names=zone_names,
        audit=DynamoDbAuditLog(aws.dynamodb, aws.new_table(), clock, timedelta(days=365)),
        audit_key=lambda: "key",
    )


def test_an_export_of_ten_rows_asks_aws_for_no_more_than_this(aws: FakeAws) -> None:
    world = ports(aws)
    services = assemble(world, Policy(lease=timedelta(minutes=5)), LINKS)
    start = len(aws.calls)
    export = services.request(Wish(user_id="user-1", email="member@example.org")).export
    received = world.queue.receive(0)
    assert received is not None
    assert services.run(received, lambda: False) == Acknowledge()
    world.queue.acknowledge(received)
    calls = aws.calls[start:]

    done = world.store.get(export.export_id)
    assert done is not None
    assert done.status is ExportStatus.COMPLETED
    assert calls == [call.name for call in CALLS], "docs/scaling-and-cost.md says what each call costs"
