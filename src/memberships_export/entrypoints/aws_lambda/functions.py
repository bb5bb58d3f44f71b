"""The Lambda functions: SQS messages in, the use case for each, the items that must come back out; and the sweep."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from memberships_export.bootstrap.aws import function_services, worker_problems
from memberships_export.domain.errors import TransientError
from memberships_export.domain.export.record import Stage
from memberships_export.domain.messages.message import Message, Received
from memberships_export.entrypoints.profile_log import tell_profile
from memberships_export.logs.formats import LogFormat, formatter
from memberships_export.ports import ExportQueue, Metrics
from memberships_export.service.metrics import INTERNAL_ERRORS, NoMetrics
from memberships_export.service.worker.run import GiveBack, RunExport
from memberships_export.service.worker.sweep import SweepExports
from memberships_export.settings import read_settings

log = logging.getLogger(__name__)
# Longest time between two looks at the clock: one page, or one mail (55 seconds), and the writes around it.
_MARGIN_MS = 90_000
VISITS_AT_ONCE = 8  # most of a visit is waiting for AWS; below the connections that are kept to a service


class Context(Protocol):
    """What Lambda tells about the invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends this process."""
        ...


@dataclass(frozen=True, slots=True)
class ExportFunction:
    """One function: all steps, or some of them in the split form."""

    run: RunExport
    queue: ExportQueue
    metrics: Metrics = field(default_factory=NoMetrics)

    def __call__(self, event: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """Handle a batch; each message for itself. What is not named in the answer counts as done.

        The queue brings the others back: when they were given back for, or by its visibility timeout. After five
        receives it makes dead letters of them.
        """
        should_stop = _near_the_end(context)
        failed = [record["messageId"] for record in event["Records"] if not self._done(record, should_stop)]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    def _done(self, record: Mapping[str, Any], should_stop: Callable[[], bool]) -> bool:
        received = _received(record)
        try:
            disposition = self.run(received, should_stop)
            if isinstance(disposition, GiveBack):
                self.queue.give_back(received, disposition.delay_seconds)
                return False
        except TransientError as error:
            log.warning("message=%s code=%s event=trouble reason=%s", received.message_id, error.code, error.reason)
            return False
        except Exception:
            log.exception("message=%s event=internal_error", received.message_id)
            self.metrics.count(INTERNAL_ERRORS)
            return False
        return True


def export_function(environ: Mapping[str, str]) -> ExportFunction:
    """Build the function. Raises SettingsError naming every variable that is missing or wrong."""
    settings = read_settings(environ, worker_problems)
    log_as(settings.log_format)
    ports, services = function_services(settings, environ)
    if Stage.FETCH in settings.stages and not ports.readers.only_own:
        tell_profile(ports.readers.current.known)
    return ExportFunction(services.run, ports.queue, ports.metrics or NoMetrics())


@dataclass(frozen=True, slots=True)
class SweepFunction:
    """SweepExports, run on a schedule."""

    sweep: SweepExports

    def __call__(self, event: object, context: Context) -> dict[str, int]:  # noqa: ARG002  (Lambda's signature)
        """Make one pass; the answer counts what was done."""
        taken = self.sweep(_near_the_end(context))
        return {action.value: times for action, times in taken.items()}


def sweep_function(environ: Mapping[str, str]) -> SweepFunction:
    """Build the function. Raises SettingsError naming every variable that is missing or wrong."""
    settings = read_settings(environ)
    log_as(settings.log_format)
    threads = ThreadPoolExecutor(VISITS_AT_ONCE)
    _, services = function_services(settings, environ, threads.map)
    return SweepFunction(services.sweep)


def log_as(log_format: LogFormat) -> None:
    """Log from INFO on, in our format, by the handler that Lambda's runtime has made: it writes no line ends."""
    logging.getLogger("memberships_export").setLevel(logging.INFO)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(formatter(log_format, end="\n"))


def _near_the_end(context: Context) -> Callable[[], bool]:
    """Return what tells when to stop: early enough to save the work, also under a short time limit."""
    margin = min(_MARGIN_MS, context.get_remaining_time_in_millis() // 2)
    return lambda: context.get_remaining_time_in_millis() < margin


def _received(record: Mapping[str, Any]) -> Received:
    attributes = record.get("messageAttributes", {})
    texts = {name: value["stringValue"] for name, value in attributes.items() if "stringValue" in value}
    return Received(
        message_id=record["messageId"],
        message=Message(record["body"], texts),
        receipt=record["receiptHandle"],
        receive_count=int(record["attributes"]["ApproximateReceiveCount"]),
    )
