"""All letters of a dead letter queue moved back at once, by SQS itself (StartMessageMoveTask), up to 500 a second."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from memberships_export.adapters.aws.aws_errors import error_code

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient
    from types_boto3_sqs.type_defs import ListMessageMoveTasksResultEntryTypeDef as _Task

_LOOK_SECONDS = 1.0
_MOST_QUIET_LOOKS = 60  # a move that makes no progress for so long is given up


def move_letters(client: "SQSClient", queue_url: str, known: int, pause: Callable[[float], None]) -> str | None:
    """Move them and wait for the end; return why it did not come to that, None when it did.

    `queue_url`: of the dead letter queue, whose name is that of its queue with _dlq behind it. The destination is
    named, because SQS cannot know where letters came from that a worker put there itself. `known`: how many letters
    are there for sure; the numbers that SQS gives are approximate.
    """
    answer = client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    letters = answer["Attributes"]["QueueArn"]
    try:
        earlier = _newest(client, letters).get("StartedTimestamp")
        task = client.start_message_move_task(SourceArn=letters, DestinationArn=letters.removesuffix("_dlq"))
    except ClientError as error:  # another task is running, or this service has no such thing
        return error_code(error)
    try:
        return _until_moved(lambda: _newest(client, letters, but=earlier), known, pause)
    finally:
        with suppress(ClientError):  # it has ended by itself
            client.cancel_message_move_task(TaskHandle=task.get("TaskHandle", ""))


def _until_moved(look: "Callable[[], _Task]", known: int, pause: Callable[[float], None]) -> str | None:
    """Wait until as many are moved as there were: what comes meanwhile is a new failure, and not to be moved."""
    before, quiet = -1, 0
    while quiet < _MOST_QUIET_LOOKS:
        task = look()
        status, moved = task.get("Status", "RUNNING"), task.get("ApproximateNumberOfMessagesMoved", 0)
        if status == "COMPLETED" or (status == "RUNNING" and _all_moved(task, known)):
            return None
        if status != "RUNNING":
            return task.get("FailureReason", f"the move is {status}")
        before, quiet = (moved, 0) if moved > before else (before, quiet + 1)
        pause(_LOOK_SECONDS)
    return f"the move made no progress for {_MOST_QUIET_LOOKS} seconds"


def _newest(client: "SQSClient", letters: str, but: int | None = None) -> "_Task":
    """Look at the newest task, unless it is the one that started at `but`: ours may not be listed yet."""
    tasks = client.list_message_move_tasks(SourceArn=letters, MaxResults=1)["Results"]
    if not tasks or (but is not None and tasks[0].get("StartedTimestamp") == but):
        return {}
    return tasks[0]


def _all_moved(task: "_Task", known: int) -> bool:
    there_were = task.get("ApproximateNumberOfMessagesToMove")
    return there_were is not None and task.get("ApproximateNumberOfMessagesMoved", 0) >= max(there_were, known)
