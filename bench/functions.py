"""The AWS form: the built bundle under Lambda's own runtime client, between a simulated AWS and fake neighbours."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.processes import peak_bytes
from bench.results import FunctionRuns
from infra import bundle
from infra.manifest import FUNCTIONS
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.messages.wake import wake_message
from rig.aws.bare_deployment import BareDeployment
from rig.aws.built_bundle import build_here, unpack
from rig.aws.event_source_mapping import record_of
from rig.aws.fake_aws import running_aws
from rig.aws.lambda_runtime import FunctionSettings, LambdaFunction, link_modules
from rig.services.fake_memberships import FakeMemberships
from rig.services.fake_sendgrid import FakeSendGrid

SMALL = 10  # rows of a small export
_VISITED = 100  # exports
# What boto3 is made of, as it is installed here: on Lambda it comes with the runtime.
_BOTO3 = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
_BASELINE = """\
import boto3

sqs, dynamodb = boto3.client("sqs"), boto3.client("dynamodb")


def handler(event, context):
    return {"batchItemFailures": []}
"""


def measure_functions(folder: Path, repeat: int, rows: int) -> FunctionRuns:
    """Build the bundle, start it cold in turn with the baseline, count the calls, then export so many rows."""
    folder.mkdir()
    zipped = build_here(folder)
    arm = folder / "arm64.zip"
    bundle.build(FUNCTIONS, arm)
    code, baseline = unpack(zipped, folder / "code"), _baseline(folder / "baseline")
    with _deployed(SMALL) as deployment:
        cold = _cold_starts(deployment, code, baseline, repeat)
        calls = _calls(deployment, code)
        visit = _visit(deployment, code)
    with _deployed(rows) as deployment:
        seconds, peak = _large_export(deployment, code)
    return FunctionRuns(
        bundle_bytes={"arm64": arm.stat().st_size, "this machine": zipped.stat().st_size},
        cold_baseline=cold["baseline"],
        cold_message=cold["message"],
        cold_export=cold["export"],
        calls=calls,
        rows=rows,
        seconds=seconds,
        peak_bytes=peak,
        visit_seconds=visit,
    )


@contextmanager
def _deployed(rows: int) -> Iterator[BareDeployment]:
    with running_aws() as aws, FakeMemberships(rows) as memberships, FakeSendGrid() as sendgrid:
        aws.forget_everything()
        queues = aws.new_queues(visibility_seconds=900, max_receives=5)
        yield BareDeployment(aws, memberships, sendgrid, queues).with_settings(PAGE_SIZE="5000")


def _baseline(folder: Path) -> Path:
    """Make the handler to compare with: it makes the two clients of boto3 and nothing else."""
    folder.mkdir()
    (folder / "baseline.py").write_text(_BASELINE)
    link_modules(folder, _BOTO3)
    return folder


def _cold_starts(deployment: BareDeployment, code: Path, baseline: Path, repeat: int) -> dict[str, tuple[float, ...]]:
    """Take turns, after a round that is not counted. Each time a new process; the clock stops with its answer."""
    with deployment.exporter(code) as function:
        finished = deployment.ask("user-finished")
        function.invoke(_event(deployment))
    settings = FunctionSettings(
        name="baseline", code=baseline, handler="baseline.handler", environment=deployment.aws.variables
    )

    def wake() -> dict[str, Any]:
        ports, _ = deployment.as_api
        ports.queue.send(wake_message(finished))
        return _event(deployment)

    kinds: dict[str, tuple[Callable[[], LambdaFunction], Callable[[], dict[str, Any]]]] = {
        "baseline": (lambda: LambdaFunction(settings), dict),
        "message": (lambda: deployment.exporter(code), wake),
        "export": (lambda: deployment.exporter(code), lambda: _event_of_new(deployment)),
    }
    rounds = [{name: _cold(*kind) for name, kind in kinds.items()} for _ in range(repeat + 1)]
    return {name: tuple(times[name] for times in rounds[1:]) for name in kinds}


def _cold(make: Callable[[], LambdaFunction], event: Callable[[], dict[str, Any]]) -> float:
    given = event()
    begun = time.perf_counter()
    with make() as function:
        answer = function.invoke(given)
        seconds = time.perf_counter() - begun
    assert answer == {"batchItemFailures": []}, answer
    return seconds


def _calls(deployment: BareDeployment, code: Path) -> tuple[str, ...]:
    """Count what AWS is asked for one small export: by the API, for the function, and by the function, warm."""
    with deployment.exporter(code) as function:
        function.invoke(_event_of_new(deployment))
        before = len(deployment.aws.calls)
        export = deployment.ask("user-counted")
        received = deployment.aws.sqs.receive_message(
            QueueUrl=deployment.queues.url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
        )
        (message,) = received["Messages"]
        function.invoke({"Records": [record_of(message, "arn")]})
        deployment.aws.sqs.delete_message(QueueUrl=deployment.queues.url, ReceiptHandle=message["ReceiptHandle"])
    calls = tuple(deployment.aws.calls[before:])
    _check(deployment, export, SMALL)
    return calls


def _visit(deployment: BareDeployment, code: Path) -> float:
    """Make files of some exports, and have them deleted; return what one visit took of the processor."""
    with deployment.exporter(code) as function:
        for _ in range(_VISITED):
            function.invoke(_event_of_new(deployment))
    environment = {**os.environ, **deployment.environ, **deployment.aws.variables}
    visits = [sys.executable, "-m", "bench.visit"]
    said = subprocess.run(visits, env=environment, check=True, capture_output=True, text=True).stdout
    return float(said.splitlines()[-1])  # behind the metrics that functions write


def _large_export(deployment: BareDeployment, code: Path) -> tuple[float, int]:
    export = deployment.ask("user-large")
    event = _event(deployment)
    with deployment.exporter(code, timeout_seconds=900) as function:
        begun = time.perf_counter()
        function.invoke(event)
        seconds = time.perf_counter() - begun
        peak = peak_bytes(function.pid)
    _check(deployment, export, deployment.memberships.rows)
    return seconds, peak


def _event_of_new(deployment: BareDeployment) -> dict[str, Any]:
    deployment.ask(f"user-{time.monotonic_ns()}")
    return _event(deployment)


def _event(deployment: BareDeployment) -> dict[str, Any]:
    """Take the message out of the queue, as the event source mapping does, before the clock runs."""
    received = deployment.aws.sqs.receive_message(
        QueueUrl=deployment.queues.url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    )
    (message,) = received["Messages"]
    deployment.aws.sqs.delete_message(QueueUrl=deployment.queues.url, ReceiptHandle=message["ReceiptHandle"])
    return {"Records": [record_of(message, "arn")]}


def _check(deployment: BareDeployment, export: Export, rows: int) -> None:
    done = deployment.record_of(export)
    assert done.status is ExportStatus.COMPLETED, done
    assert done.file is not None
    assert done.file.rows == rows
    mails = [mail for mail in deployment.sendgrid.accepted if mail.export_id == export.export_id]
    assert len(mails) == 1
