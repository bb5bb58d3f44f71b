"""The functions over the AWS adapters: SQS messages, records in DynamoDB, files in S3, mails to a fake SendGrid."""

from dataclasses import replace
from threading import Barrier

import boto3
import pytest
from typer.testing import CliRunner

from memberships_export.adapters.aws.sqs_queue import SqsExportQueue
from memberships_export.bootstrap.backend import download_links
from memberships_export.domain.export.record import ExportStatus, Stage
from memberships_export.domain.messages.message import Message
from memberships_export.entrypoints.aws_lambda.functions import ExportFunction, export_function, sweep_function
from memberships_export.entrypoints.cli.main import make_app
from memberships_export.settings import SettingsError, read_settings
from rig.aws.bare_deployment import BareDeployment
from rig.aws.event_source_mapping import record_of
from rig.aws.fake_aws import REGION
from rig.services.fake_memberships import FakeMemberships
from rig.services.fake_sendgrid import FakeSendGrid
from rig.services.fake_smtp import FakeSmtp
from rig.services.sendgrid_behaviour import status
from rig.waiting import PATIENCE_SECONDS


class Context:
    """A Lambda context with a quarter of an hour left."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def environ_of(deployment: BareDeployment) -> dict[str, str]:
    """Return what a function of the deployment finds, which is not all that this process has."""
    return {**deployment.environ, **deployment.aws.variables}


def function_of(deployment: BareDeployment, *stages: Stage) -> ExportFunction:
    """Return the function in this process, to see into it."""
    names = ",".join(stages) if stages else "fetch,render,deliver"
    return export_function({**environ_of(deployment), "MEMBERSHIPS_EXPORT_STAGES": names})


def invoke(deployment: BareDeployment, function: ExportFunction, url: str = "") -> bool:
    """Do what the event source mapping does with one message; false when there is none."""
    url = url or deployment.queues.url
    answer = deployment.aws.sqs.receive_message(
        QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"], MaxNumberOfMessages=1
    )
    for message in answer.get("Messages", []):
        if not function({"Records": [record_of(message, "arn")]}, Context())["batchItemFailures"]:
            deployment.aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return True
    return False


def test_an_export_goes_from_request_to_mail(deployment: BareDeployment, sendgrid: FakeSendGrid) -> None:
    export = deployment.ask()
    assert invoke(deployment, function_of(deployment))
    done = deployment.record_of(export)
    assert done.status is ExportStatus.COMPLETED
    (mail,) = sendgrid.accepted
    assert mail.to == "member@example.org"
    assert mail.attachment is not None
    assert mail.headers["Authorization"] == "Bearer SG.key"
    assert done.file is not None
    assert done.file.bytes == len(mail.attachment)
    assert deployment.left() == 0


def test_a_plain_message_of_an_existing_api_is_exported(deployment: BareDeployment, sendgrid: FakeSendGrid) -> None:
    deployment.aws.sqs.send_message(
        QueueUrl=deployment.queues.url,
        MessageBody="export",
        MessageAttributes={
            "userId": {"DataType": "String", "StringValue": "user-1"},
            "email": {"DataType": "String", "StringValue": "plain@example.org"},
        },
    )
    invoke(deployment, function_of(deployment))
    assert [mail.to for mail in sendgrid.accepted] == ["plain@example.org"]


def test_a_failed_export_is_a_dead_letter_is_redriven_and_completes(
    deployment: BareDeployment, memberships: FakeMemberships, sendgrid: FakeSendGrid
) -> None:
    sendgrid.follow(status(400))
    export = deployment.ask()
    invoke(deployment, function_of(deployment))
    assert deployment.record_of(export).status is ExportStatus.FAILED
    _, services = deployment.as_api
    desk = services.redrive
    (letter,) = desk.letters()
    assert letter.message.attributes["exportId"] == export.export_id
    assert letter.message.attributes["stage"] == "deliver"
    calls = len(memberships.calls)
    list(desk.redrive(desk.letters(), dry_run=False))
    assert desk.letters() == []
    invoke(deployment, function_of(deployment))
    assert deployment.record_of(export).status is ExportStatus.COMPLETED
    assert len(memberships.calls) == calls


def test_poison_is_a_dead_letter_with_the_reason(deployment: BareDeployment) -> None:
    deployment.aws.sqs.send_message(QueueUrl=deployment.queues.url, MessageBody='{"version": 2}')
    assert invoke(deployment, function_of(deployment))
    _, services = deployment.as_api
    (letter,) = services.redrive.letters()
    assert "version '2'" in letter.message.attributes["reason"]
    assert deployment.left() == 0


def test_the_sweeper_visits_several_exports_at_once(
    deployment: BareDeployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports, _ = deployment.as_api
    for number in range(2):
        export = deployment.ask(f"user-{number}")
        ports.store.replace(
            export, replace(export, wake_at=export.requested_at, nudges=6)
        )  # a long queue explains it no more
    together, send = Barrier(2, timeout=PATIENCE_SECONDS), SqsExportQueue.send

    def send_together(queue: SqsExportQueue, message: Message, stage: Stage = Stage.FETCH) -> None:
        together.wait()
        send(queue, message, stage)

    monkeypatch.setattr(SqsExportQueue, "send", send_together)
    assert sweep_function(environ_of(deployment))({}, Context()) == {"nudge": 2}


def test_a_lost_message_is_sent_again_by_the_sweeper(deployment: BareDeployment) -> None:
    export = deployment.ask()
    deployment.aws.sqs.purge_queue(QueueUrl=deployment.queues.url)
    ports, _ = deployment.as_api
    overdue = replace(export, wake_at=export.requested_at)
    assert ports.store.replace(export, overdue) is not None
    assert sweep_function(environ_of(deployment))({}, Context()) == {"nudge": 1}
    invoke(deployment, function_of(deployment))
    assert deployment.record_of(export).status is ExportStatus.COMPLETED


@pytest.mark.parametrize(
    "missing, said",
    [
        ("TABLE", "MEMBERSHIPS_EXPORT_TABLE is not set, but MEMBERSHIPS_EXPORT_BACKEND is aws"),
        ("QUEUE_URL", "MEMBERSHIPS_EXPORT_QUEUE_URL is not set"),
        ("BUCKET", "MEMBERSHIPS_EXPORT_BUCKET is not set"),
        ("SERVICE_SECRET_ID", "MEMBERSHIPS_EXPORT_SERVICE_SECRET_ID is not set"),
        ("LINK_SECRET_ID", "MEMBERSHIPS_EXPORT_LINK_SECRET_ID is not set"),
        ("AUDIT_SECRET_ID", "MEMBERSHIPS_EXPORT_AUDIT_SECRET_ID is not set"),
        ("SENDGRID_SECRET", "MEMBERSHIPS_EXPORT_SENDGRID_API_KEY is not set"),
        ("MEMBERSHIPS_URL", "MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL is not set: this function fetches"),
        ("MAILER", "MEMBERSHIPS_EXPORT_MAILER is outbox: this function mails"),
        ("MAIL_FROM", "MEMBERSHIPS_EXPORT_MAIL_FROM is not set, but MEMBERSHIPS_EXPORT_MAILER is sendgrid"),
        ("PUBLIC_URL", "MEMBERSHIPS_EXPORT_PUBLIC_URL is not set: this function mails links"),
    ],
)
def test_a_missing_setting_stops_the_function_at_its_start_with_the_name(
    deployment: BareDeployment, missing: str, said: str
) -> None:
    del deployment.environ[f"MEMBERSHIPS_EXPORT_{missing}"]
    with pytest.raises(SettingsError, match=said):
        function_of(deployment)


def test_a_rotated_key_is_used_by_a_warm_function(
    deployment: BareDeployment, sendgrid: FakeSendGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = function_of(deployment)
    deployment.ask()
    invoke(deployment, function)
    client = boto3.client("secretsmanager", region_name=REGION)
    client.put_secret_value(SecretId=deployment.environ["MEMBERSHIPS_EXPORT_SENDGRID_SECRET"], SecretString="SG.new")
    monkeypatch.setattr("memberships_export.adapters.aws.secrets_manager._KEPT_SECONDS", 0.0)
    deployment.ask()
    invoke(deployment, function)
    assert [mail.headers["Authorization"] for mail in sendgrid.accepted] == ["Bearer SG.key", "Bearer SG.new"]


def test_a_function_mails_through_an_smtp_server(deployment: BareDeployment, sendgrid: FakeSendGrid) -> None:
    with FakeSmtp() as fake:
        deployment.with_settings(MAILER="smtp", SMTP_HOST="127.0.0.1", SMTP_PORT=str(fake.port), SMTP_SECURITY="none")
        export = deployment.ask()
        invoke(deployment, function_of(deployment))
        assert deployment.record_of(export).status is ExportStatus.COMPLETED
        assert [mail.to for mail in fake.accepted] == ["member@example.org"]
    assert sendgrid.requests == 0


def test_the_smtp_password_is_read_from_secrets_manager_and_waited_for(deployment: BareDeployment) -> None:
    with FakeSmtp() as fake:
        deployment.with_settings(
            MAILER="smtp", SMTP_HOST="127.0.0.1", SMTP_PORT=str(fake.port), SMTP_USER="u", SMTP_SECRET="not-there"
        )
        export = deployment.ask()
        invoke(deployment, function_of(deployment))
        assert fake.connections == 0
    waiting = deployment.record_of(export)
    assert waiting.status is ExportStatus.WAITING
    assert waiting.trouble is not None
    assert "Secret not-there" in waiting.trouble.reason


def test_a_rotated_link_secret_ends_the_links_without_a_restart(
    deployment: BareDeployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = download_links(read_settings(deployment.environ), "https://exports.example.org")
    export = deployment.ask()
    mailed = links.url(export).rsplit("/", 1)[1]
    assert links.opens(export, mailed)

    client = boto3.client("secretsmanager", region_name=REGION)
    client.put_secret_value(SecretId=deployment.environ["MEMBERSHIPS_EXPORT_LINK_SECRET_ID"], SecretString="n" * 40)
    monkeypatch.setattr("memberships_export.adapters.aws.secrets_manager._KEPT_SECONDS", 0.0)

    assert not links.opens(export, mailed)


def test_the_dead_letter_desk_of_the_command_line_works_on_the_real_queues(
    deployment: BareDeployment, sendgrid: FakeSendGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    sendgrid.follow(status(400))
    export = deployment.ask()
    invoke(deployment, function_of(deployment))
    hidden = ("MEMBERSHIPS_EXPORT_BACKEND", "MEMBERSHIPS_EXPORT_MAILER", "MEMBERSHIPS_EXPORT_SENDGRID_SECRET")
    for name in deployment.environ.keys() - hidden:
        monkeypatch.setenv(name, deployment.environ[name])
    listed = CliRunner().invoke(make_app(), ["dlq", "list", "--backend", "aws"])
    assert export.export_id in listed.stdout
    assert "mail_refused" in listed.stdout
    shown = CliRunner().invoke(make_app(), ["dlq", "show", export.export_id, "--backend", "aws"])
    assert "member@example.org" not in shown.stdout
    redriven = CliRunner().invoke(make_app(), ["dlq", "redrive", "--all", "--backend", "aws"])
    assert redriven.exit_code == 0, redriven.output
    assert "1 redriven" in redriven.stdout
    invoke(deployment, function_of(deployment))
    assert deployment.record_of(export).status is ExportStatus.COMPLETED
    assert CliRunner().invoke(make_app(), ["dlq", "list", "--json", "--backend", "aws"]).stdout.strip() == "[]"


def test_a_service_secret_that_is_too_short_is_waited_for_and_named(
    deployment: BareDeployment, memberships: FakeMemberships
) -> None:
    secret = deployment.environ["MEMBERSHIPS_EXPORT_SERVICE_SECRET_ID"]
    client = boto3.client("secretsmanager", region_name=REGION)
    client.put_secret_value(SecretId=secret, SecretString="short")
    export = deployment.ask()
    invoke(deployment, function_of(deployment))
    waiting = deployment.record_of(export)
    assert waiting.status is ExportStatus.WAITING
    assert waiting.trouble is not None
    assert secret in waiting.trouble.reason
    assert "at least 32 bytes" in waiting.trouble.reason
    assert memberships.calls == []
