from typing import Any

import pytest

from memberships_export.adapters.aws.sqs_dead_letters import SqsDeadLetters
from memberships_export.adapters.aws.stage_queues import StageDeadLetters
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.messages.message import Message
from rig.aws.fake_aws import FakeAws
from tests.unit.adapters.aws.conftest import ScriptedSqs

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/membership_exports_dlq"


@pytest.fixture
def url(aws: FakeAws) -> str:
    return aws.new_queues().dead_letters_url


def calls_of(aws: FakeAws, before: int) -> list[str]:
    return aws.calls[before:]


def test_browsing_hides_nothing_from_others(aws: FakeAws, url: str) -> None:
    ours, others = SqsDeadLetters(aws.sqs, url), SqsDeadLetters(aws.sqs, url)
    ours.add(Message("body"))

    seen = [[letter.message.body for letter in desk.browse(10)] for desk in (ours, others, ours, others)]

    assert seen == [["body"]] * 4


def test_more_letters_than_fit_in_one_call_are_read_once_each_oldest_first(aws: FakeAws, url: str) -> None:
    desk = SqsDeadLetters(aws.sqs, url)
    for number in range(25):
        desk.add(Message(str(number)))

    assert [letter.message.body for letter in desk.browse(100)] == [str(number) for number in range(25)]
    assert len(desk.browse(12)) == 12


def test_a_letter_whose_receipt_is_old_is_received_again_and_removed(aws: FakeAws, url: str) -> None:
    desk = SqsDeadLetters(aws.sqs, url)
    for number in range(15):
        desk.add(Message(str(number)))
    old = desk.browse(100)[12]

    with SqsDeadLetters(aws.sqs, url).removing() as remove:
        remove(old)

    left = [letter.message.body for letter in desk.browse(100)]
    assert left == [str(number) for number in range(15) if number != 12]


def test_a_letter_is_removed_under_a_receipt_that_was_not_given_up_by_putting_it_back(sqs: ScriptedSqs) -> None:
    desk = SqsDeadLetters(sqs.client, URL)
    script_browse(sqs, found("m-1", "put back"))
    [letter] = desk.browse(1)
    sqs.add_response("receive_message", {"Messages": [found("m-1", "in hand")]}, receive(10, wait=1))
    sqs.add_response("delete_message", {}, {"QueueUrl": URL, "ReceiptHandle": "in hand"})

    with desk.removing() as remove:
        remove(letter)


def test_what_is_received_on_the_way_to_a_letter_is_kept_for_the_next_ones_and_put_back_in_the_end(
    sqs: ScriptedSqs,
) -> None:
    desk = SqsDeadLetters(sqs.client, URL)
    script_browse(sqs, *(found(f"m-{number}", f"put back {number}") for number in range(4)))
    letters = desk.browse(4)
    sqs.add_response("receive_message", {"Messages": [found(f"m-{number}", f"r-{number}") for number in range(4)]})
    for number in (2, 0):
        sqs.add_response("delete_message", {}, {"QueueUrl": URL, "ReceiptHandle": f"r-{number}"})
    sqs.add_response("change_message_visibility_batch", {"Successful": [], "Failed": []}, put_back("r-1", "r-3"))

    with desk.removing() as remove:
        remove(letters[2])
        remove(letters[0])


def test_letters_that_were_in_hand_for_long_are_put_back_and_received_again(
    sqs: ScriptedSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, now = SqsDeadLetters(sqs.client, URL), [0.0]
    monkeypatch.setattr("memberships_export.adapters.aws.sqs_dead_letters.monotonic", lambda: now[0])
    script_browse(sqs, found("m-0", "put back"), found("m-1", "put back too"))
    letters = desk.browse(2)
    sqs.add_response("receive_message", {"Messages": [found("m-0", "r-0"), found("m-1", "old")]})
    sqs.add_response("delete_message", {}, {"QueueUrl": URL, "ReceiptHandle": "r-0"})
    sqs.add_response("change_message_visibility_batch", {"Successful": [], "Failed": []}, put_back("old"))
    sqs.add_response("receive_message", {"Messages": [found("m-1", "fresh")]})
    sqs.add_response("delete_message", {}, {"QueueUrl": URL, "ReceiptHandle": "fresh"})

    with desk.removing() as remove:
        remove(letters[0])
        now[0] = 31.0
        remove(letters[1])


def test_letters_in_hand_are_put_back_also_when_removing_breaks_off(sqs: ScriptedSqs) -> None:
    desk = SqsDeadLetters(sqs.client, URL)
    script_browse(sqs, found("m-0", "put back"))
    [letter] = desk.browse(1)
    sqs.add_response("receive_message", {"Messages": [found("m-1", "r-1")]})
    sqs.add_client_error("receive_message", "ServiceUnavailable", http_status_code=503)
    sqs.add_response("change_message_visibility_batch", {"Successful": [], "Failed": []}, put_back("r-1"))

    with pytest.raises(StorageUnavailable, match="ReceiveMessage"), desk.removing() as remove:
        remove(letter)


def test_letters_are_put_back_also_when_reading_breaks_off(sqs: ScriptedSqs) -> None:
    sqs.add_response("get_queue_attributes", {"Attributes": {"ApproximateNumberOfMessages": "11"}})
    sqs.add_response("receive_message", {"Messages": [found("m-1", "r-1")]})
    sqs.add_client_error("receive_message", "ServiceUnavailable", http_status_code=503)
    sqs.add_response("change_message_visibility_batch", {"Successful": [], "Failed": []}, put_back("r-1"))

    with pytest.raises(StorageUnavailable, match="ReceiveMessage"):
        SqsDeadLetters(sqs.client, URL).browse(100)


def test_every_server_is_asked_as_long_as_letters_are_missing(sqs: ScriptedSqs) -> None:
    sqs.add_response("get_queue_attributes", {"Attributes": {"ApproximateNumberOfMessages": "2"}})
    sqs.add_response("receive_message", {"Messages": [found("m-1", "r-1")]}, receive(10, wait=1))
    sqs.add_response("receive_message", {"Messages": [found("m-2", "r-2")]}, receive(10, wait=1))
    sqs.add_response("receive_message", {}, receive(10, wait=0))
    sqs.add_response("change_message_visibility_batch", {"Successful": [], "Failed": []}, put_back("r-1", "r-2"))

    assert len(SqsDeadLetters(sqs.client, URL).browse(100)) == 2


def test_every_server_is_asked_first_however_many_letters_sqs_thinks_there_are(sqs: ScriptedSqs) -> None:
    sqs.add_response("get_queue_attributes", {"Attributes": {"ApproximateNumberOfMessages": "0"}})
    sqs.add_response("receive_message", {"Messages": [found("m-1", "r-1")]}, receive(10, wait=1))
    sqs.add_response("receive_message", {}, receive(10, wait=0))
    sqs.add_response("change_message_visibility_batch", {"Successful": [], "Failed": []}, put_back("r-1"))

    assert len(SqsDeadLetters(sqs.client, URL).browse(100)) == 1


def test_a_letter_that_sqs_moved_by_itself_is_explained(sqs: ScriptedSqs) -> None:
    moved = found("m-1", "r-1", DeadLetterQueueSourceArn="arn:aws:sqs:eu-west-1:123456789012:membership_exports")
    script_browse(sqs, moved)

    [letter] = SqsDeadLetters(sqs.client, URL).browse(1)

    assert letter.message.attributes["errorCode"] == "received_too_often"
    assert letter.message.attributes["stage"] == "receive"


def moved_with(sqs: ScriptedSqs, attributes: dict[str, str]) -> Message:
    """Browse a letter that SQS moved by itself, with these attributes."""
    moved = found("m-1", "r-1", DeadLetterQueueSourceArn="arn:aws:sqs:eu-west-1:123456789012:membership_exports")
    moved["MessageAttributes"] = {
        name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
    }
    script_browse(sqs, moved)
    [letter] = SqsDeadLetters(sqs.client, URL).browse(1)
    return letter.message


def test_a_letter_without_room_for_a_reason_stays_as_it_is(sqs: ScriptedSqs) -> None:
    attributes = {f"name{number}": "x" for number in range(8)}

    assert moved_with(sqs, attributes).attributes == attributes


def test_what_a_letter_says_of_an_earlier_failure_is_not_why_sqs_moved_it(sqs: ScriptedSqs) -> None:
    earlier = {"userId": "user-1", "errorCode": "mail_refused", "failedAt": "2026-03-01T12:00:00+00:00"}

    told = moved_with(sqs, earlier).attributes

    assert (told["userId"], told["errorCode"]) == ("user-1", "received_too_often")
    assert "failedAt" not in told


def test_a_second_purge_within_a_minute_says_when_it_works_again(aws: FakeAws, url: str) -> None:
    desk = SqsDeadLetters(aws.sqs, url)
    desk.add(Message("body"))
    assert desk.purge() == 1

    with pytest.raises(StorageUnavailable, match="after a minute") as caught:
        desk.purge()

    assert caught.value.retry_after == 60


def found(message_id: str, receipt: str, **attributes: str) -> dict[str, Any]:
    sent = {"SentTimestamp": "1772366400000"}
    return {"MessageId": message_id, "ReceiptHandle": receipt, "Body": "body", "Attributes": sent | attributes}


def receive(count: int, wait: int) -> dict[str, Any]:
    return {
        "QueueUrl": URL,
        "MaxNumberOfMessages": count,
        "WaitTimeSeconds": wait,
        "VisibilityTimeout": 60,
        "MessageAttributeNames": ["All"],
        "MessageSystemAttributeNames": ["SentTimestamp", "DeadLetterQueueSourceArn"],
    }


def put_back(*receipts: str) -> dict[str, Any]:
    entries = [
        {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0} for number, receipt in enumerate(receipts)
    ]
    return {"QueueUrl": URL, "Entries": entries}


def script_browse(sqs: ScriptedSqs, *letters: dict[str, Any]) -> None:
    sqs.add_response("get_queue_attributes", {"Attributes": {"ApproximateNumberOfMessages": str(len(letters))}})
    sqs.add_response("receive_message", {"Messages": list(letters)})
    sqs.add_response("change_message_visibility_batch", {"Successful": [], "Failed": []})


ARN = "arn:aws:sqs:eu-west-1:123456789012:membership_exports"


def script_move(sqs: ScriptedSqs, *earlier: dict[str, Any]) -> None:
    asked = {"QueueUrl": URL, "AttributeNames": ["QueueArn"]}
    sqs.add_response("get_queue_attributes", {"Attributes": {"QueueArn": f"{ARN}_dlq"}}, asked)
    sqs.add_response("list_message_move_tasks", {"Results": list(earlier)})


def script_looks(sqs: ScriptedSqs, *looks: tuple[str, int, int]) -> None:
    """Let each look at the move show its status, how many were moved, and how many there were."""
    for status, moved, of in looks:
        task: Any = {
            "TaskHandle": "handle",
            "Status": status,
            "ApproximateNumberOfMessagesMoved": moved,
            "ApproximateNumberOfMessagesToMove": of,
        }
        asked = {"SourceArn": f"{ARN}_dlq", "MaxResults": 1}
        sqs.add_response("list_message_move_tasks", {"Results": [task]}, asked)


def moved_all(sqs: ScriptedSqs, *looks: tuple[str, int, int], desk: SqsDeadLetters | None = None) -> bool:
    """Move, and show these looks. Whatever they show, the task is ended in the end."""
    script_move(sqs)
    expected = {"SourceArn": f"{ARN}_dlq", "DestinationArn": ARN}
    sqs.add_response("start_message_move_task", {"TaskHandle": "handle"}, expected)
    script_looks(sqs, *looks)
    sqs.add_response("cancel_message_move_task", {}, {"TaskHandle": "handle"})
    return (desk or SqsDeadLetters(sqs.client, URL, pause=lambda _: None)).move_all()


def test_all_letters_are_moved_by_sqs_to_the_queue_they_belong_to(sqs: ScriptedSqs) -> None:
    assert moved_all(sqs, ("RUNNING", 0, 3), ("RUNNING", 2, 3), ("COMPLETED", 3, 3))


def test_a_move_is_ended_when_it_has_moved_what_there_was_so_that_new_failures_stay(sqs: ScriptedSqs) -> None:
    assert moved_all(sqs, ("RUNNING", 1, 3), ("RUNNING", 3, 3))


def test_a_move_goes_on_while_letters_are_left_that_sqs_has_not_counted_yet(sqs: ScriptedSqs) -> None:
    desk = SqsDeadLetters(sqs.client, URL, pause=lambda _: None)
    script_browse(sqs, found("m-1", "r-1"))
    desk.browse(1)

    assert moved_all(sqs, ("RUNNING", 0, 0), ("RUNNING", 1, 1), desk=desk)


@pytest.mark.parametrize("earlier", [[], [{"Status": "COMPLETED", "StartedTimestamp": 1772366400000}]])
def test_a_move_that_is_not_listed_yet_is_waited_for(sqs: ScriptedSqs, earlier: list[dict[str, Any]]) -> None:
    script_move(sqs, *earlier)
    sqs.add_response("start_message_move_task", {"TaskHandle": "handle"})
    sqs.add_response("list_message_move_tasks", {"Results": earlier})
    script_looks(sqs, ("COMPLETED", 3, 3))
    sqs.add_response("cancel_message_move_task", {}, {"TaskHandle": "handle"})

    assert SqsDeadLetters(sqs.client, URL, pause=lambda _: None).move_all()


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED", "CANCELLING"])
def test_a_move_that_does_not_get_to_its_end_is_told(sqs: ScriptedSqs, status: str) -> None:
    assert not moved_all(sqs, ("RUNNING", 1, 3), (status, 1, 3))


def test_a_move_that_makes_no_progress_is_given_up_and_ended(sqs: ScriptedSqs) -> None:
    assert not moved_all(sqs, *[("RUNNING", 1, 3)] * 61)


@pytest.mark.parametrize("code,status", [("UnsupportedOperation", 400), ("AccessDenied", 403), ("InternalError", 500)])
def test_a_service_that_does_not_move_letters_says_so_instead_of_failing(
    sqs: ScriptedSqs, code: str, status: int
) -> None:
    script_move(sqs)
    sqs.add_client_error("start_message_move_task", code, http_status_code=status)

    assert not SqsDeadLetters(sqs.client, URL).move_all()


def test_nor_does_one_that_knows_no_moves_at_all(sqs: ScriptedSqs) -> None:
    sqs.add_response("get_queue_attributes", {"Attributes": {"QueueArn": f"{ARN}_dlq"}})
    sqs.add_client_error("list_message_move_tasks", "UnsupportedOperation", http_status_code=400)

    assert not SqsDeadLetters(sqs.client, URL).move_all()


def test_letters_of_all_stages_are_read_together_and_each_is_removed_where_it_is(aws: FakeAws) -> None:
    urls = [aws.new_queues().dead_letters_url for _ in range(3)]
    fetch, render, deliver = (SqsDeadLetters(aws.sqs, url) for url in urls)
    for number, queue in enumerate([deliver, fetch, render]):
        queue.add(Message(f"{number}"))
    desk = StageDeadLetters([fetch, render, deliver])
    first, second, third = desk.browse(10)

    with desk.removing() as remove:
        remove(first)
    with StageDeadLetters([render]).removing() as remove:
        remove(third)

    assert [letter.message.body for letter in (first, second, third)] == ["0", "1", "2"]
    assert [letter.message.body for queue in (fetch, render, deliver) for letter in queue.browse(10)] == ["1"]
    assert desk.purge() == 1
