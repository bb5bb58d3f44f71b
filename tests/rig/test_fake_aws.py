"""What the simulated AWS does beyond moto."""

from concurrent.futures import ThreadPoolExecutor

from rig.aws.fake_aws import FakeAws
from rig.waiting import until


def test_a_long_poll_lets_the_one_in_who_brings_what_it_waits_for(aws: FakeAws) -> None:
    url, before = aws.new_queues().url, len(aws.calls)

    with ThreadPoolExecutor(1) as pool:
        polled = pool.submit(aws.sqs.receive_message, QueueUrl=url, WaitTimeSeconds=20)
        until(lambda: "ReceiveMessage" in aws.calls[before:], "the poll", progress=lambda: len(aws.calls))
        aws.sqs.send_message(QueueUrl=url, MessageBody="awaited")

        assert [message["Body"] for message in polled.result()["Messages"]] == ["awaited"]


def test_a_hidden_message_is_shown_when_its_time_is_let_end(aws: FakeAws) -> None:
    url = aws.new_queues(visibility_seconds=3600).url
    aws.sqs.send_message(QueueUrl=url, MessageBody="hidden")
    assert "Messages" in aws.sqs.receive_message(QueueUrl=url)
    assert "Messages" not in aws.sqs.receive_message(QueueUrl=url)

    aws.show_hidden(url)

    assert "Messages" in aws.sqs.receive_message(QueueUrl=url)
