"""What the simulated AWS does beyond moto."""

from concurrent.futures import ThreadPoolExecutor

from rig.aws.fake_aws import FakeAws, running_aws, sqs_time
from rig.waiting import until
from tests.fakes.memory import FakeClock


def received_while_one_polls(aws: FakeAws) -> list[str]:
    """Send a message when somebody waits for it, and return what they get."""
    url, before = aws.new_queues().url, len(aws.calls)

    with ThreadPoolExecutor(1) as pool:
        polled = pool.submit(aws.sqs.receive_message, QueueUrl=url, WaitTimeSeconds=20)
        until(lambda: "ReceiveMessage" in aws.calls[before:], "the poll", progress=lambda: len(aws.calls))
        aws.sqs.send_message(QueueUrl=url, MessageBody="awaited")
        return [message["Body"] for message in polled.result().get("Messages", ())]


def test_a_long_poll_lets_the_one_in_who_brings_what_it_waits_for(aws: FakeAws) -> None:
    assert received_while_one_polls(aws) == ["awaited"]


def test_it_does_so_too_when_it_began_where_time_stood_still_and_another_has_ended_since() -> None:
    with sqs_time(FakeClock()):
        running = running_aws()
        aws = running.__enter__()
    try:
        with running_aws():
            pass
        assert received_while_one_polls(aws) == ["awaited"]
    finally:
        running.__exit__(None, None, None)


def test_a_hidden_message_is_shown_when_its_time_is_let_end(aws: FakeAws) -> None:
    url = aws.new_queues(visibility_seconds=3600).url
    aws.sqs.send_message(QueueUrl=url, MessageBody="hidden")
    assert "Messages" in aws.sqs.receive_message(QueueUrl=url)
    assert "Messages" not in aws.sqs.receive_message(QueueUrl=url)

    aws.show_hidden(url)

    assert "Messages" in aws.sqs.receive_message(QueueUrl=url)
