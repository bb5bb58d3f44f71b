"""The local Lambda itself, with a handler small enough to be no part of the question."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from time import time
from typing import Any

import pytest

from rig.aws.event_source_mapping import EventSourceMapping, failed_items
from rig.aws.fake_aws import FakeAws
from rig.aws.lambda_runtime import FunctionSettings, LambdaFunction
from rig.aws.runtime_api import FunctionFailed
from rig.waiting import until

HANDLER = """
import json, os, sys, time

def handler(event, context):
    if "Records" in event:
        return batch(event["Records"])
    return actions[event["do"]](context)

def fail(context):
    raise ValueError("not today")

def hang(context):
    open(os.environ["LEDGER"], "a").close()
    time.sleep(3600)

actions = {
    "fail": fail,
    "exit": lambda context: os._exit(7),
    "hang": hang,
    "path": lambda context: [sorted(os.environ), sys.path],
    "pid": lambda context: os.getpid(),
    "time": lambda context: [context.get_remaining_time_in_millis(), context.function_name, context.aws_request_id],
}

def batch(records):
    with open(os.environ["LEDGER"], "a") as ledger:
        for record in records:
            ledger.write(json.dumps(record) + "\\n")
    first = [r for r in records if r["attributes"]["ApproximateReceiveCount"] == "1"]
    if any(record["body"] == "hang once" for record in first):
        time.sleep(3600)
    failed = [record for record in first if record["body"] == "fail once"]
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


@pytest.fixture
def start(tmp_path: Path, ledger: Path) -> Iterator[Callable[..., LambdaFunction]]:
    code = tmp_path / "code"
    code.mkdir()
    functions = []

    def made(source: str = HANDLER, timeout_seconds: float = 900.0) -> LambdaFunction:
        (code / "tiny.py").write_text(source)
        settings = FunctionSettings(
            name="tiny",
            code=code,
            handler="tiny.handler",
            timeout_seconds=timeout_seconds,
            environment={"LEDGER": str(ledger)},
        )
        functions.append(LambdaFunction(settings))
        return functions[-1]

    yield made
    for function in functions:
        function.__exit__()


def test_one_warm_process_answers_one_event_after_the_other(start: Callable[..., LambdaFunction]) -> None:
    function = start()

    assert function.invoke({"do": "pid"}) == function.invoke({"do": "pid"})
    assert function.starts == 1


def test_the_context_tells_the_time_left_the_name_and_the_request(start: Callable[..., LambdaFunction]) -> None:
    function, before = start(), time()
    left, name, request_id = function.invoke({"do": "time"})
    taken = time() - before

    assert (900 - taken) * 1000 - 1 < left <= 900_000
    assert name == "tiny"
    assert len(request_id) == 36


def test_the_process_sees_neither_the_project_nor_its_packages_nor_this_environment(
    start: Callable[..., LambdaFunction], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMBIENT", "1")

    variables, path = start().invoke({"do": "path"})

    assert "AMBIENT" not in variables
    assert path[0] == str(tmp_path / "code")
    assert [entry for entry in path if "site-packages" in entry or "/src" in entry] == []


def test_an_exception_fails_the_invocation_and_leaves_the_process_warm(start: Callable[..., LambdaFunction]) -> None:
    function = start()

    with pytest.raises(FunctionFailed, match="ValueError: not today"):
        function.invoke({"do": "fail"})

    assert function.invoke({"do": "pid"})
    assert function.starts == 1


def test_a_module_that_cannot_be_imported_says_why_and_each_invocation_tries_again(
    start: Callable[..., LambdaFunction],
) -> None:
    function = start("raise KeyError('QUEUE_URL')")

    for _ in range(2):
        with pytest.raises(FunctionFailed, match="QUEUE_URL"):
            function.invoke({})

    assert function.starts == 2


def test_a_process_that_ends_fails_its_invocation_and_is_replaced(start: Callable[..., LambdaFunction]) -> None:
    function = start()

    with pytest.raises(FunctionFailed, match="ended with status 7"):
        function.invoke({"do": "exit"})

    assert function.invoke({"do": "pid"})
    assert function.starts == 2


def test_at_its_time_limit_the_process_is_killed(start: Callable[..., LambdaFunction]) -> None:
    function = start()
    before = function.invoke({"do": "pid"})
    function.timeout_seconds = 1

    with pytest.raises(FunctionFailed, match=r"Task timed out after 1\.00 seconds"):
        function.invoke({"do": "hang"})

    function.timeout_seconds = 900
    assert function.invoke({"do": "pid"}) != before


def test_a_kill_in_the_middle_fails_the_invocation(start: Callable[..., LambdaFunction], ledger: Path) -> None:
    function = start()

    def kill() -> None:
        until(ledger.exists, "the middle", progress=lambda: function.starts)
        function.kill()

    killer = Thread(target=kill)
    killer.start()

    with pytest.raises(FunctionFailed, match="ended with status -9"):
        function.invoke({"do": "hang"})

    killer.join()


def entries(ledger: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ledger.read_text().splitlines()] if ledger.exists() else []


def test_the_event_has_the_shape_that_lambda_gives_it(
    aws: FakeAws, start: Callable[..., LambdaFunction], ledger: Path
) -> None:
    url = aws.new_queues().url
    attributes: Any = {"userId": {"DataType": "String", "StringValue": "user-1"}}
    sent = aws.sqs.send_message(QueueUrl=url, MessageBody="{}", MessageAttributes=attributes)

    with EventSourceMapping(aws.sqs, url, [start()]):
        until(lambda: aws.messages_in(url) == 0, "an empty queue", progress=lambda: aws.changes)

    (record,) = entries(ledger)
    assert (record["messageId"], record["body"]) == (sent["MessageId"], "{}")
    assert record["messageAttributes"] == {
        "userId": {"stringValue": "user-1", "stringListValues": [], "binaryListValues": [], "dataType": "String"}
    }
    assert set(record["attributes"]) >= {"ApproximateReceiveCount", "SentTimestamp", "SenderId"}
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", "eu-west-1")
    assert record["eventSourceARN"].endswith(url.rsplit("/", maxsplit=1)[-1])


def test_of_a_batch_only_the_failed_message_comes_back_with_its_count_raised(
    aws: FakeAws, start: Callable[..., LambdaFunction]
) -> None:
    url = aws.new_queues(visibility_seconds=1).url
    sent = {body: aws.sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"] for body in ("good", "fail once")}

    with EventSourceMapping(aws.sqs, url, [start()], batch_size=10) as mapping:
        until(lambda: aws.messages_in(url) == 0, "an empty queue", progress=lambda: aws.changes)

    first, second = mapping.invoked
    assert first.messages == {sent["good"]: 1, sent["fail once"]: 1}
    assert first.stay == {sent["fail once"]}
    assert (second.messages, second.stay) == ({sent["fail once"]: 2}, frozenset())


def test_the_message_of_a_killed_function_comes_back_by_its_visibility_timeout(
    aws: FakeAws, start: Callable[..., LambdaFunction], ledger: Path
) -> None:
    url = aws.new_queues(visibility_seconds=1).url
    message_id = aws.sqs.send_message(QueueUrl=url, MessageBody="hang once")["MessageId"]
    function = start()

    with EventSourceMapping(aws.sqs, url, [function]) as mapping:
        until(lambda: len(entries(ledger)) == 1, "invocation 1", progress=lambda: aws.changes)
        function.kill()
        until(lambda: aws.messages_in(url) == 0, "an empty queue", progress=lambda: aws.changes)

    killed, done = mapping.invoked
    assert killed.error
    assert killed.error.kind == "Runtime.ExitError"
    assert (done.messages, done.error) == ({message_id: 2}, None)


def test_the_message_of_a_function_that_took_too_long_comes_back(
    aws: FakeAws, start: Callable[..., LambdaFunction]
) -> None:
    url = aws.new_queues(visibility_seconds=3600).url
    aws.sqs.send_message(QueueUrl=url, MessageBody="hang once")
    function = start(timeout_seconds=1)

    with EventSourceMapping(aws.sqs, url, [function]) as mapping:
        mapping.until_invoked(1)
        function.timeout_seconds = 900
        aws.show_hidden(url)
        until(lambda: aws.messages_in(url) == 0, "an empty queue", progress=lambda: aws.changes)

    assert [invoked.error.kind if invoked.error else None for invoked in mapping.invoked] == ["Sandbox.Timedout", None]


def test_as_many_functions_work_at_once_as_the_concurrency_says(
    aws: FakeAws, start: Callable[..., LambdaFunction], ledger: Path
) -> None:
    url = aws.new_queues().url
    for _ in range(3):
        aws.sqs.send_message(QueueUrl=url, MessageBody="hang once")
    functions = [start(), start()]

    with EventSourceMapping(aws.sqs, url, functions) as mapping:
        until(lambda: len(entries(ledger)) == 2, "invocation 2", progress=lambda: aws.changes)
        assert mapping.invoked == []
        for function in functions:
            function.kill()
        until(lambda: len(entries(ledger)) == 3, "invocation 3", progress=lambda: aws.changes)
        for function in functions:
            function.kill()


@pytest.mark.parametrize(
    "answer,stay",
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a"}),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": "other"}]}, {"a", "b"}),
        ({"batchItemFailures": [{}]}, {"a", "b"}),
        ({"batchItemFailures": 7}, {"a", "b"}),
    ],
)
def test_an_answer_that_cannot_be_understood_fails_the_whole_batch(answer: object, stay: set[str]) -> None:
    assert failed_items(answer, frozenset({"a", "b"})) == stay
