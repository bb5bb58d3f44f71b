import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.stub import ANY

from memberships_export.adapters.aws.sqs_message import message_group
from memberships_export.adapters.aws.sqs_queue import SqsExportQueue
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.messages.message import Message, Received
from memberships_export.domain.messages.wake import wake_message
from rig.aws.fake_aws import REGION, FakeAws
from tests.factories import an_export
from tests.unit.adapters.aws.conftest import ScriptedSqs

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/membership_exports"
RECEIVED = Received(message_id="m-1", message=Message("body"), receipt="r-1")
CONFIGURATION = "This is configuration"


def test_a_message_is_on_the_wire_as_the_contract_says(aws: FakeAws) -> None:
    url = aws.new_queues().url
    export = an_export()
    SqsExportQueue(aws.sqs, url).send(wake_message(export))

    [found] = aws.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], AttributeNames=["All"])["Messages"]

    assert found["MessageAttributes"] == {
        "userId": {"DataType": "String", "StringValue": export.user_id},
        "email": {"DataType": "String", "StringValue": export.email},
        "exportId": {"DataType": "String", "StringValue": export.export_id},
    }
    assert found["Body"] == wake_message(export).body
    assert found["Attributes"]["MessageGroupId"] == export.user_id


def test_a_message_that_names_no_user_is_in_no_group(sqs: ScriptedSqs) -> None:
    sqs.add_response(
        "send_message",
        {"MessageId": "m-1", "MD5OfMessageBody": "0"},
        {"QueueUrl": URL, "MessageBody": "{}", "MessageAttributes": {}},
    )

    SqsExportQueue(sqs.client, URL).send(Message("{}"))


@pytest.mark.parametrize(
    "user_id", ["user-1", "auth0|5f7c8ec7c33c6c004bbafe82", "a" * 128, "!\"#$%&'()*+,-./:;<=>?@[]^_"]
)
def test_a_user_id_that_can_name_a_group_does(user_id: str) -> None:
    assert message_group(user_id) == user_id


@pytest.mark.parametrize("user_id", ["a" * 129, "ü", "a b", "a\n", "漢字"])
def test_any_other_user_id_names_its_group_by_its_hash(user_id: str) -> None:
    group = message_group(user_id)

    assert len(group) == 64
    assert group.isalnum()
    assert group != message_group(user_id + "x")


@pytest.mark.parametrize("wait, seconds", [(0, 0), (0.2, 1), (1.0, 1), (20, 20), (60, 20)])
def test_a_receive_waits_in_whole_seconds_and_no_longer_than_sqs_can(
    sqs: ScriptedSqs, wait: float, seconds: int
) -> None:
    sqs.add_response(
        "receive_message",
        {},
        {
            "QueueUrl": URL,
            "MaxNumberOfMessages": 1,
            "WaitTimeSeconds": seconds,
            "MessageAttributeNames": ANY,
            "MessageSystemAttributeNames": ANY,
        },
    )

    assert SqsExportQueue(sqs.client, URL).receive(wait) is None


def test_a_strangers_binary_attribute_is_left_out(aws: FakeAws) -> None:
    url = aws.new_queues().url
    aws.sqs.send_message(
        QueueUrl=url,
        MessageBody="{}",
        MessageAttributes={
            "userId": {"DataType": "String", "StringValue": "user-1"},
            "count": {"DataType": "Number", "StringValue": "3"},
            "blob": {"DataType": "Binary", "BinaryValue": b"\x00"},
        },
    )

    received = SqsExportQueue(aws.sqs, url).receive(0)

    assert received is not None
    assert received.message == Message("{}", {"userId": "user-1", "count": "3"})


@pytest.mark.parametrize("delay, seconds", [(-1, 0), (0, 0), (0.5, 1), (90, 90), (100_000, 21_600)])
def test_a_message_is_given_back_in_whole_seconds_and_for_at_most_six_hours(
    sqs: ScriptedSqs, delay: float, seconds: int
) -> None:
    wanted = {"QueueUrl": URL, "ReceiptHandle": "r-1", "VisibilityTimeout": seconds}
    sqs.add_response("change_message_visibility", {}, wanted)

    SqsExportQueue(sqs.client, URL).give_back(RECEIVED, delay)


@pytest.mark.parametrize("code", ["InvalidParameterValue", "ReceiptHandleIsInvalid", "MessageNotInflight"])
def test_a_stale_receipt_is_harmless(sqs: ScriptedSqs, code: str) -> None:
    queue = SqsExportQueue(sqs.client, URL)
    sqs.add_client_error("change_message_visibility", f"AWS.SimpleQueueService.{code}", http_status_code=400)
    sqs.add_client_error("delete_message", code, http_status_code=400)

    queue.give_back(RECEIVED, 5)
    queue.acknowledge(RECEIVED)


@pytest.mark.parametrize(
    "code, status, advice",
    [
        ("ThrottlingException", 400, "throttling"),
        ("RequestThrottled", 403, "throttling"),
        ("OverLimit", 403, "throttling"),
        ("KmsThrottled", 400, "throttling"),
        ("InternalFailure", 500, "Health Dashboard"),
        ("ServiceUnavailable", 503, "Health Dashboard"),
        ("AccessDenied", 403, CONFIGURATION),
        ("InvalidClientTokenId", 403, CONFIGURATION),
        ("ExpiredTokenException", 400, CONFIGURATION),
        ("KmsAccessDenied", 400, "encryption key"),
        ("AWS.SimpleQueueService.NonExistentQueue", 400, CONFIGURATION),
    ],
)
def test_trouble_names_the_queue_the_action_and_the_fix(sqs: ScriptedSqs, code: str, status: int, advice: str) -> None:
    sqs.add_client_error("send_message", code, http_status_code=status)

    with pytest.raises(StorageUnavailable, match=r"SQS queue membership_exports refused SendMessage with") as caught:
        SqsExportQueue(sqs.client, URL).send(Message("{}"))

    assert advice in caught.value.reason
    assert ("configuration" in caught.value.reason) == (advice in {CONFIGURATION, "encryption key"})
    assert "AWS.SimpleQueueService" not in caught.value.reason


def test_a_request_that_sqs_calls_wrong_is_a_bug_and_no_trouble_that_passes(sqs: ScriptedSqs) -> None:
    sqs.add_client_error("send_message", "UnsupportedOperation", http_status_code=400)

    with pytest.raises(ClientError):
        SqsExportQueue(sqs.client, URL).send(Message("{}"))


def test_a_queue_that_gives_no_answer_is_trouble(unused_tcp_port: int) -> None:
    once = Config(retries={"total_max_attempts": 1})
    client = boto3.client("sqs", region_name=REGION, endpoint_url=f"http://127.0.0.1:{unused_tcp_port}", config=once)

    with pytest.raises(StorageUnavailable, match=r"membership_exports gave no answer .*security group"):
        SqsExportQueue(client, URL).receive(0)


def test_a_process_without_credentials_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    client = boto3.session.Session().client("sqs", region_name=REGION)

    with pytest.raises(StorageUnavailable, match=r"without AWS credentials.*role"):
        SqsExportQueue(client, URL).receive(0)


def test_a_pass_counts_what_waits_once(sqs: ScriptedSqs) -> None:
    counted = {"QueueUrl": URL, "AttributeNames": ["ApproximateNumberOfMessages"]}
    sqs.add_response("get_queue_attributes", {"Attributes": {"ApproximateNumberOfMessages": "7"}}, counted)
    queue = SqsExportQueue(sqs.client, URL)

    assert [queue.holds(wake_message(an_export())) for _ in range(3)] == [None] * 3


def test_what_cannot_be_counted_explains_no_wait(sqs: ScriptedSqs, caplog: pytest.LogCaptureFixture) -> None:
    sqs.add_client_error("get_queue_attributes", "AccessDenied", http_status_code=403)

    assert SqsExportQueue(sqs.client, URL).holds(wake_message(an_export())) is False
    assert "event=trouble" in caplog.text
