"""The functions over the AWS adapters: SQS messages, records in DynamoDB, files in S3, mails to a fake SendGrid."""

from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from memberships_export.bootstrap_aws import connect_aws
from memberships_export.domain.export import Export, ExportStatus, Stage
from memberships_export.entrypoints.cli.main import make_app
from memberships_export.entrypoints.functions import ExportFunction, export_function, sweep_function
from memberships_export.ports import Ports
from memberships_export.service.assembly import Services, assemble
from memberships_export.service.request_export import Wish
from memberships_export.settings import SettingsError, read_settings
from tests.fakes.world import LINKS
from tests.rig.fake_aws import REGION, FakeAws, QueuePair
from tests.rig.fake_memberships import FakeMemberships
from tests.rig.fake_sendgrid import FakeSendGrid
from tests.rig.sendgrid_behaviour import status

WISH = Wish(user_id="user-1", email="member@example.org")


class Context:
    """A Lambda context with a quarter of an hour left."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


@dataclass
class Deployment:
    """Queues, table, bucket and secrets, and the environment that names them."""

    aws: FakeAws
    environ: dict[str, str]
    queues: dict[Stage, QueuePair]

    @property
    def as_api(self) -> tuple[Ports, Services]:
        """What the API and an operator use: no source, no mailer."""
        hidden = ("MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL", "MEMBERSHIPS_EXPORT_MAILER")
        settings = read_settings({k: v for k, v in self.environ.items() if k not in hidden})
        ports = connect_aws(settings, None)
        return ports, assemble(ports, settings.policy, LINKS)

    def function(self, *stages: Stage) -> ExportFunction:
        names = ",".join(stages) if stages else "fetch,render,deliver"
        return export_function({**self.environ, "MEMBERSHIPS_EXPORT_STAGES": names})

    def invoke(self, function: ExportFunction, stage: Stage = Stage.FETCH) -> bool:
        """Do what the event source mapping does with one message; false when there is none."""
        url = self.queues[stage].url
        answer = self.aws.sqs.receive_message(
            QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"], MaxNumberOfMessages=1
        )
        for message in answer.get("Messages", []):
            event: dict[str, Any] = {"Records": [_record(message)]}
            if not function(event, Context())["batchItemFailures"]:
                self.aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return True
        return False

    def waiting_at(self) -> list[Stage]:
        counts = {stage: self._count(pair.url) for stage, pair in self.queues.items()}
        return [stage for stage, count in counts.items() if count]

    def _count(self, url: str) -> int:
        answer = self.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def _record(message: Any) -> dict[str, Any]:  # noqa: ANN401  (a message as boto3 gives it)
    attributes = message.get("MessageAttributes", {}).items()
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {
            name: {"stringValue": value["StringValue"], "dataType": value["DataType"]} for name, value in attributes
        },
    }


@pytest.fixture
def deployment(
    aws: FakeAws, memberships: FakeMemberships, sendgrid: FakeSendGrid, monkeypatch: pytest.MonkeyPatch
) -> Deployment:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    pair = aws.new_queues(max_receives=5)
    client = boto3.client("secretsmanager", region_name=REGION)
    name = pair.url.rsplit("/", 1)[1]
    secrets = {
        "SENDGRID_SECRET": client.create_secret(Name=f"{name}-sendgrid", SecretString="SG.key")["ARN"],
        "SERVICE_SECRET_ID": client.create_secret(Name=f"{name}-service", SecretString="s" * 40)["ARN"],
    }
    settings = {
        "BACKEND": "aws",
        "TABLE": aws.new_table(),
        "BUCKET": aws.new_bucket().name,
        "QUEUE_URL": pair.url,
        "PUBLIC_URL": "https://exports.example.org",
        "MEMBERSHIPS_URL": memberships.url,
        "MAILER": "sendgrid",
        "MAIL_FROM": "exports@example.org",
        "SENDGRID_URL": sendgrid.url,
        "PAGE_SIZE": "10",
        **secrets,
    }
    environ = {f"MEMBERSHIPS_EXPORT_{key}": value for key, value in settings.items()}
    return Deployment(aws, environ, dict.fromkeys(Stage, pair))


def ask(deployment: Deployment) -> Export:
    _, services = deployment.as_api
    return services.request(WISH).export


def record_of(deployment: Deployment, export: Export) -> Export:
    ports, _ = deployment.as_api
    found = ports.store.get(export.export_id)
    assert found is not None
    return found


def test_an_export_goes_from_request_to_mail(deployment: Deployment, sendgrid: FakeSendGrid) -> None:
    export = ask(deployment)
    assert deployment.invoke(deployment.function())
    done = record_of(deployment, export)
    assert done.status is ExportStatus.COMPLETED
    (mail,) = sendgrid.accepted
    assert mail.to == WISH.email
    assert mail.attachment is not None
    assert mail.headers["Authorization"] == "Bearer SG.key"
    assert done.file is not None
    assert done.file.bytes == len(mail.attachment)
    assert deployment.waiting_at() == []


def test_a_plain_message_of_an_existing_api_is_exported(deployment: Deployment, sendgrid: FakeSendGrid) -> None:
    deployment.aws.sqs.send_message(
        QueueUrl=deployment.queues[Stage.FETCH].url,
        MessageBody="export",
        MessageAttributes={
            "userId": {"DataType": "String", "StringValue": "user-1"},
            "email": {"DataType": "String", "StringValue": "plain@example.org"},
        },
    )
    deployment.invoke(deployment.function())
    assert [mail.to for mail in sendgrid.accepted] == ["plain@example.org"]


def test_a_failed_export_is_a_dead_letter_is_redriven_and_completes(
    deployment: Deployment, memberships: FakeMemberships, sendgrid: FakeSendGrid
) -> None:
    sendgrid._script = [status(400)]  # noqa: SLF001
    export = ask(deployment)
    deployment.invoke(deployment.function())
    assert record_of(deployment, export).status is ExportStatus.FAILED
    _, services = deployment.as_api
    desk = services.redrive
    (letter,) = desk.letters()
    assert letter.message.attributes["exportId"] == export.export_id
    assert letter.message.attributes["stage"] == "deliver"
    calls = len(memberships.calls)
    list(desk.redrive(desk.letters(), dry_run=False))
    assert desk.letters() == []
    deployment.invoke(deployment.function())
    assert record_of(deployment, export).status is ExportStatus.COMPLETED
    assert len(memberships.calls) == calls


def test_poison_is_a_dead_letter_with_the_reason(deployment: Deployment) -> None:
    deployment.aws.sqs.send_message(QueueUrl=deployment.queues[Stage.FETCH].url, MessageBody='{"version": 2}')
    assert deployment.invoke(deployment.function())
    _, services = deployment.as_api
    (letter,) = services.redrive.letters()
    assert "version '2'" in letter.message.attributes["reason"]
    assert deployment.waiting_at() == []


def test_a_lost_message_is_sent_again_by_the_sweeper(deployment: Deployment) -> None:
    export = ask(deployment)
    deployment.aws.sqs.purge_queue(QueueUrl=deployment.queues[Stage.FETCH].url)
    ports, _ = deployment.as_api
    overdue = replace(export, wake_at=export.requested_at)
    assert ports.store.replace(export, overdue) is not None
    assert sweep_function(deployment.environ)({}, Context()) == {"nudge": 1}
    deployment.invoke(deployment.function())
    assert record_of(deployment, export).status is ExportStatus.COMPLETED


def test_split_into_three_functions_an_export_passes_from_queue_to_queue(
    deployment: Deployment, memberships: FakeMemberships, sendgrid: FakeSendGrid
) -> None:
    for stage, name in ((Stage.RENDER, "RENDER_QUEUE_URL"), (Stage.DELIVER, "DELIVER_QUEUE_URL")):
        deployment.queues[stage] = deployment.aws.new_queues(max_receives=5)
        deployment.environ[f"MEMBERSHIPS_EXPORT_{name}"] = deployment.queues[stage].url
    export = ask(deployment)
    for stage in Stage:
        assert deployment.waiting_at() == [stage]
        assert deployment.invoke(deployment.function(stage), stage)
    assert record_of(deployment, export).status is ExportStatus.COMPLETED
    assert (len(sendgrid.accepted), len(memberships.calls)) == (1, 3)


@pytest.mark.parametrize(
    "missing, said",
    [
        ("TABLE", "MEMBERSHIPS_EXPORT_TABLE is not set, but MEMBERSHIPS_EXPORT_BACKEND is aws"),
        ("QUEUE_URL", "MEMBERSHIPS_EXPORT_QUEUE_URL is not set"),
        ("BUCKET", "MEMBERSHIPS_EXPORT_BUCKET is not set"),
        ("SERVICE_SECRET_ID", "MEMBERSHIPS_EXPORT_SERVICE_SECRET_ID is not set"),
        ("SENDGRID_SECRET", "MEMBERSHIPS_EXPORT_SENDGRID_API_KEY is not set"),
        ("MEMBERSHIPS_URL", "MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL is not set: this function fetches"),
        ("MAILER", "MEMBERSHIPS_EXPORT_MAILER is outbox: this function mails"),
    ],
)
def test_a_missing_setting_stops_the_function_at_its_start_with_the_name(
    deployment: Deployment, missing: str, said: str
) -> None:
    del deployment.environ[f"MEMBERSHIPS_EXPORT_{missing}"]
    with pytest.raises(SettingsError, match=said):
        deployment.function()


def test_a_rotated_key_is_used_by_a_warm_function(
    deployment: Deployment, sendgrid: FakeSendGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = deployment.function()
    ask(deployment)
    deployment.invoke(function)
    client = boto3.client("secretsmanager", region_name=REGION)
    client.put_secret_value(SecretId=deployment.environ["MEMBERSHIPS_EXPORT_SENDGRID_SECRET"], SecretString="SG.new")
    monkeypatch.setattr("memberships_export.adapters.aws.secrets_manager._KEPT_SECONDS", 0.0)
    ask(deployment)
    deployment.invoke(function)
    assert [mail.headers["Authorization"] for mail in sendgrid.accepted] == ["Bearer SG.key", "Bearer SG.new"]


def test_the_dead_letter_desk_of_the_command_line_works_on_the_real_queues(
    deployment: Deployment, sendgrid: FakeSendGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    sendgrid._script = [status(400)]  # noqa: SLF001
    export = ask(deployment)
    deployment.invoke(deployment.function())
    hidden = ("MEMBERSHIPS_EXPORT_BACKEND", "MEMBERSHIPS_EXPORT_MAILER", "MEMBERSHIPS_EXPORT_SENDGRID_SECRET")
    for name in deployment.environ.keys() - hidden:
        monkeypatch.setenv(name, deployment.environ[name])
    desk = ["dlq", "--backend", "aws"]
    listed = CliRunner().invoke(make_app(), [*desk, "list"])
    assert export.export_id in listed.stdout
    assert "mail_refused" in listed.stdout
    shown = CliRunner().invoke(make_app(), [*desk, "show", export.export_id])
    assert "member@example.org" not in shown.stdout
    redriven = CliRunner().invoke(make_app(), [*desk, "redrive", "--all"])
    assert redriven.exit_code == 0, redriven.output
    assert "1 redriven" in redriven.stdout
    deployment.invoke(deployment.function())
    assert record_of(deployment, export).status is ExportStatus.COMPLETED
    assert CliRunner().invoke(make_app(), [*desk, "list", "--json"]).stdout.strip() == "[]"
