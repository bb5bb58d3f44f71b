"""What can go wrong on AWS, with the built function in processes of its own: killed, flooded, refused, cut off."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from memberships_export.domain.export.delivery import SendFact
from memberships_export.domain.export.record import Delivery, Evidence, Export, ExportStatus, Lease
from memberships_export.domain.messages.wake import wake_message
from memberships_export.service.mail_events.record_mail_events import MailEvent
from rig.aws.aws_faults import Fault
from rig.aws.bare_deployment import BareDeployment
from rig.aws.event_source_mapping import EventSourceMapping
from rig.aws.lambda_runtime import LambdaFunction
from rig.services.fake_memberships import row
from rig.services.sendgrid_behaviour import ACCEPT_THEN_HANG, status
from tests.factories import a_page
from tests.readers import own_file

PATIENT = {"LEASE_SECONDS": "3600", "MEMBERSHIPS_TIMEOUT_SECONDS": "600"}  # nothing ends before the test ends it


def expected_file(rows: int) -> bytes:
    return own_file(a_page([row("user-1", n + 1) for n in range(rows)]))


def completed(deployment: BareDeployment, export: Export) -> Export:
    deployment.until(lambda: deployment.record_of(export).status is ExportStatus.COMPLETED, "the export to complete")
    return deployment.record_of(export)


@contextmanager
def at_work(
    deployment: BareDeployment, code: Path, timeout_seconds: float = 60
) -> Iterator[tuple[LambdaFunction, EventSourceMapping]]:
    with deployment.exporter(code, timeout_seconds) as function, deployment.mapping(function) as mapping:
        yield function, mapping


def letters(deployment: BareDeployment) -> list[dict[str, str]]:
    _, services = deployment.as_api
    return [dict(letter.message.attributes) for letter in services.redrive.letters()]


def die(deployment: BareDeployment, export: Export, function: LambdaFunction, mapping: EventSourceMapping) -> None:
    """Kill the only function, and go on to when the next one may take the export."""
    function.kill()
    mapping.until_invoked(1)
    deployment.let_lease_end(export)


# --- Killed -----------------------------------------------------------------------------------------------------------


def test_killed_while_it_fetches_the_next_one_goes_on_behind_the_last_stored_page(
    deployment: BareDeployment, code: Path
) -> None:
    deployment.with_settings(**PATIENT).memberships.follow("ok", "hang")
    export = deployment.ask()

    with at_work(deployment, code) as (function, mapping):
        deployment.until(lambda: len(deployment.memberships.calls) == 2, "the call for the second page")
        deployment.until(lambda: deployment.record_of(export).progress.pages == 1, "the first page on the record")
        die(deployment, export, function, mapping)
        completed(deployment, export)

    (mail,) = deployment.sendgrid.accepted
    assert mail.attachment == expected_file(deployment.memberships.rows)
    cursors = [call.cursor for call in deployment.memberships.calls]
    assert len(cursors) == 4, "the page that died with its reader comes again, and no other"
    assert cursors[1] == cursors[2]


def test_killed_while_it_writes_the_file_the_next_one_renders_again_without_fetching(
    deployment: BareDeployment, code: Path
) -> None:
    deployment.with_settings(**PATIENT)
    held = deployment.aws.faults.hold("S3 PUT", f"{deployment.environ['MEMBERSHIPS_EXPORT_BUCKET']}/csv/")
    export = deployment.ask()

    with at_work(deployment, code) as (function, mapping):
        deployment.until(held.arrived.is_set, "the file being written")
        die(deployment, export, function, mapping)
        held.released.set()
        done = completed(deployment, export)

    (mail,) = deployment.sendgrid.accepted
    assert mail.attachment == expected_file(deployment.memberships.rows)
    assert len(deployment.memberships.calls) == 3
    assert done.token == 2
    assert done.file is not None
    assert "/2-" in done.file.key, "not the file of the dead one"


def test_killed_after_the_send_one_mail_and_the_event_completes_the_export(
    deployment: BareDeployment, code: Path
) -> None:
    deployment.with_settings(**PATIENT)
    deployment.sendgrid.follow(ACCEPT_THEN_HANG)
    export = deployment.ask()

    with at_work(deployment, code) as (function, mapping):
        deployment.until(lambda: deployment.sendgrid.accepted, "the mail")
        die(deployment, export, function, mapping)
        deployment.until(lambda: deployment.record_of(export).status is ExportStatus.WAITING, "the wait for evidence")
        _, services = deployment.as_api
        fact = SendFact(number=1, evidence=Evidence.ACCEPTED, delivery=Delivery.DELIVERED)
        services.record_mail_events([MailEvent(export.export_id, fact)])

    assert deployment.record_of(export).delivery is Delivery.DELIVERED
    assert len(deployment.sendgrid.mails) == 1


# --- Often, at once, in bad company -----------------------------------------------------------------------------------


def test_the_same_message_five_times_to_four_functions_at_once_is_one_mail(
    deployment: BareDeployment, code: Path
) -> None:
    deployment.with_settings(**PATIENT)
    export = deployment.ask()
    ports, _ = deployment.as_api
    for _ in range(4):
        ports.queue.send(wake_message(export))

    with ExitStack() as stack:
        functions = [stack.enter_context(deployment.exporter(code)) for _ in range(4)]
        mapping = stack.enter_context(deployment.mapping(*functions))
        completed(deployment, export)
        mapping.until_invoked(5)  # also those that were given back until the lease ends
        deployment.aws.show_hidden(deployment.queues.url)
        deployment.until(lambda: deployment.left() == 0, "an empty queue")

    assert deployment.record_of(export).status is ExportStatus.COMPLETED
    assert len(deployment.sendgrid.mails) == 1
    assert len(deployment.memberships.calls) == 3
    assert len(mapping.invoked) >= 5
    assert letters(deployment) == []


def test_of_a_batch_with_good_poison_and_failing_messages_only_the_failing_one_comes_back(
    deployment: BareDeployment, code: Path
) -> None:
    ports, _ = deployment.as_api
    good, failing = deployment.ask("user-1"), deployment.ask("user-2")
    elsewhere = Lease("another-worker", ports.clock() + timedelta(hours=1))
    assert ports.store.replace(failing, replace(failing, status=ExportStatus.RUNNING, token=1, lease=elsewhere))
    deployment.aws.sqs.send_message(QueueUrl=deployment.queues.url, MessageBody="not JSON")

    with deployment.exporter(code) as function, deployment.mapping(function, batch_size=10) as mapping:
        mapping.until_invoked(1)
        deployment.let_lease_end(failing)
        mapping.until_invoked(2)

    assert deployment.left() == 0
    first = mapping.invoked[0]
    assert (len(first.messages), len(first.stay), first.error) == (3, 1, None)
    assert [invoked.messages.keys() for invoked in mapping.invoked[1:]] == [first.stay]
    assert deployment.record_of(good).status is ExportStatus.COMPLETED
    assert deployment.record_of(failing).status is ExportStatus.COMPLETED
    (letter,) = letters(deployment)
    assert "not JSON" in letter["reason"]


@pytest.mark.parametrize(
    "body,reason",
    [
        ({"version": 2, "exportId": "x", "userId": "user-1", "email": "member@example.org"}, "has version '2'"),
        ({"version": 1, "exportId": "x", "userId": "user-1", "email": "member@example.org"}, "no export x"),
        ({"version": 1, "userId": "user-1"}, "no email"),
    ],
)
def test_a_message_that_nobody_can_act_on_is_a_dead_letter_with_its_reason(
    body: dict[str, object], reason: str, deployment: BareDeployment, code: Path
) -> None:
    deployment.aws.sqs.send_message(QueueUrl=deployment.queues.url, MessageBody=json.dumps(body))

    with at_work(deployment, code):
        deployment.until(lambda: deployment.left() == 0, "an empty queue")

    (letter,) = letters(deployment)
    assert reason in letter["reason"]
    assert deployment.sendgrid.mails == []


# --- Cut off ----------------------------------------------------------------------------------------------------------


def test_an_export_that_takes_longer_than_its_function_may_run_goes_on_in_the_next_run(
    deployment: BareDeployment, code: Path
) -> None:
    held = deployment.aws.faults.hold("S3 PUT", f"{deployment.environ['MEMBERSHIPS_EXPORT_BUCKET']}/parts/")
    export = deployment.ask()

    with at_work(deployment, code, timeout_seconds=16) as (function, mapping):
        deployment.until(held.arrived.is_set, "the first page being stored")
        deployment.until(lambda: len(deployment.memberships.calls) == 2, "the call for the second one")
        deployment.until(lambda: function.seconds_left < 8, "half of its time being over, when it takes nothing more")
        function.timeout_seconds = 900
        held.released.set()
        done = completed(deployment, export)

    assert function.starts == 1, "it stopped by itself"
    assert [invoked.error for invoked in mapping.invoked] == [None, None]
    assert done.token == 2
    first, second, again, third = [call.cursor for call in deployment.memberships.calls]
    assert second == again, "one page was under way; none that was stored is fetched again"
    assert len({first, second, third}) == 3
    (mail,) = deployment.sendgrid.accepted
    assert mail.attachment == expected_file(deployment.memberships.rows)


# --- Refused by AWS ---------------------------------------------------------------------------------------------------


def test_a_claim_whose_answer_was_lost_is_recognised_as_our_own(deployment: BareDeployment, code: Path) -> None:
    export = deployment.ask()
    deployment.aws.faults.coming.append(Fault(name="PutItem", done=True))

    with at_work(deployment, code):
        done = completed(deployment, export)

    assert (done.token, done.claims) == (1, 1)
    assert len(deployment.sendgrid.accepted) == 1


def test_a_claim_that_is_throttled_comes_back_with_its_message(deployment: BareDeployment, code: Path) -> None:
    export = deployment.ask()
    throttled = Fault(name="PutItem", status=400, code="ThrottlingException", times=3)
    deployment.aws.faults.coming.append(throttled)

    with at_work(deployment, code) as (_, mapping):
        mapping.until_invoked(1)
        deployment.aws.show_hidden(deployment.queues.url)
        completed(deployment, export)

    assert [len(invoked.stay) for invoked in mapping.invoked] == [1, 0]
    assert len(deployment.sendgrid.accepted) == 1


def test_a_file_that_s3_refuses_is_waited_for_and_written_by_the_next_run(
    deployment: BareDeployment, code: Path
) -> None:
    export = deployment.ask()
    deployment.aws.faults.coming.append(Fault(name="S3 PUT", path="/csv/", times=3))

    with at_work(deployment, code):
        deployment.until(lambda: deployment.record_of(export).status is ExportStatus.WAITING, "the wait")
        waiting = deployment.record_of(export)
        assert waiting.trouble is not None
        assert waiting.trouble.code == "storage_unavailable"
        sweep_at_once(deployment, export, code)
        completed(deployment, export)

    assert len(deployment.memberships.calls) == 3
    assert len(deployment.sendgrid.accepted) == 1


def test_a_file_that_is_gone_when_it_is_to_be_mailed_is_made_again_from_its_pages(
    deployment: BareDeployment, code: Path
) -> None:
    deployment.sendgrid.follow(status(503))
    export = deployment.ask()
    with at_work(deployment, code):
        deployment.until(lambda: deployment.record_of(export).status is ExportStatus.WAITING, "the wait")
    file = deployment.record_of(export).file
    assert file is not None
    deployment.aws.s3.delete_object(Bucket=deployment.environ["MEMBERSHIPS_EXPORT_BUCKET"], Key=file.key)

    with at_work(deployment, code):  # another process: the first one has the file in memory
        sweep_at_once(deployment, export, code)
        completed(deployment, export)

    assert len(deployment.memberships.calls) == 3
    (mail,) = deployment.sendgrid.accepted
    assert mail.attachment == expected_file(deployment.memberships.rows)


def test_a_message_that_could_not_be_sent_is_sent_by_the_sweeper(deployment: BareDeployment, code: Path) -> None:
    deployment.aws.faults.coming.append(Fault(name="SendMessage", times=3))
    export = deployment.ask()
    assert deployment.left() == 0

    with at_work(deployment, code):
        sweep_at_once(deployment, export, code)
        completed(deployment, export)

    assert len(deployment.sendgrid.accepted) == 1


def sweep_at_once(deployment: BareDeployment, export: Export, code: Path) -> None:
    """Run SweepExports as if the time of the export's next attempt had come."""
    ports, _ = deployment.as_api
    record = deployment.record_of(export)
    assert ports.store.replace(record, replace(record, wake_at=record.requested_at))
    with deployment.sweeper(code) as sweeper:
        assert sweeper.invoke({}) == {"nudge": 1}
