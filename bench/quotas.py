"""What AWS allows by default, where that was read, and which limit binds first."""

from dataclasses import dataclass
from math import floor

from bench import facts
from memberships_export.adapters.aws.dynamodb_item import WAKE_PARTITIONS
from memberships_export.entrypoints.aws_lambda.functions import VISITS_AT_ONCE

_AWS_DOCS = "https://docs.aws.amazon.com"
_UNDATED = "undated"


@dataclass(frozen=True, slots=True)
class Quota:
    """The most that is allowed by default, in `unit`; `source` is the page where it was read, `dated` its date."""

    name: str
    limit: float
    unit: str
    source: str
    dated: str


PARTITION = Quota(
    "DynamoDB, writes of one partition",
    1_000,
    "write units/s",
    f"{_AWS_DOCS}/amazondynamodb/latest/developerguide/warm-throughput-scenarios.html",
    _UNDATED,
)
NEW_TABLE = Quota(
    "DynamoDB, writes of a table that has never had more",
    4_000,
    "write units/s",
    f"{_AWS_DOCS}/amazondynamodb/latest/developerguide/warm-throughput-scenarios.html",
    _UNDATED,
)
TABLE = Quota(
    "DynamoDB, writes of a table or of one of its indexes",
    40_000,
    "write units/s",
    f"{_AWS_DOCS}/amazondynamodb/latest/developerguide/ServiceQuotas.html",
    "2023-06-15",
)
RUNS = Quota(
    "Lambda, runs at once in the account (new accounts have less)",
    1_000,
    "runs",
    f"{_AWS_DOCS}/lambda/latest/dg/limits.html",
    _UNDATED,
)
MAXIMUM_CONCURRENCY = Quota(
    "Event source mapping, highest `MaximumConcurrency`",
    1_000,
    "runs",
    f"{_AWS_DOCS}/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-eventsourcemapping-scalingconfig.html",
    _UNDATED,
)
IN_FLIGHT = Quota(
    "SQS, messages in flight (about)",
    120_000,
    "messages",
    f"{_AWS_DOCS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html",
    _UNDATED,
)
PREFIX = Quota(
    "S3, writes and deletes under one prefix (at least)",
    3_500,
    "requests/s",
    "https://aws.amazon.com/premiumsupport/knowledge-center/s3-object-key-naming-pattern/",
    _UNDATED,
)
SECRET_READS = Quota(
    "Secrets Manager, `GetSecretValue`",
    10_000,
    "calls/s",
    "https://aws.amazon.com/about-aws/whats-new/2025/03/aws-secrets-manager-increases-api-requests-seconds",
    "2025-03-04",
)
KMS_REQUESTS = Quota(
    "KMS, requests with symmetric keys (20 000 in eu-central-1)",
    100_000,
    "requests/s",
    f"{_AWS_DOCS}/kms/latest/developerguide/requests-per-second.html",
    _UNDATED,
)

QUOTAS = (
    PARTITION,
    NEW_TABLE,
    TABLE,
    RUNS,
    MAXIMUM_CONCURRENCY,
    IN_FLIGHT,
    PREFIX,
    SECRET_READS,
    KMS_REQUESTS,
)

CONCURRENCY = 10  # infra/cdk.json
# Where the limit is several quotas together.
_LIMITS = {PARTITION: f"DynamoDB, writes of `by-wake`, {len(WAKE_PARTITIONS)} partitions"}


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit, and the exports a second that it carries."""

    name: str
    carries: float


def bounds(run_seconds: float) -> tuple[Bound, ...]:
    """Return the limits, the one that binds first in front."""
    each = _taken_by_one(run_seconds)
    ours = (
        Bound(
            f"one sweeper's visits: {facts.VISITS} of {facts.VISIT_SECONDS:g} s (assumed), {VISITS_AT_ONCE} at once",
            VISITS_AT_ONCE / (facts.VISITS * facts.VISIT_SECONDS),
        ),
        Bound(
            f"one sweeper's processor: {facts.VISITS} x {facts.VISIT_PROCESSOR:g} s, "
            f"and it has {facts.PROCESSOR:.2f} of one",
            facts.PROCESSOR / (facts.VISITS * facts.VISIT_PROCESSOR),
        ),
        Bound(f"`concurrency` {CONCURRENCY}, as in `cdk.json`", CONCURRENCY / run_seconds),
    )
    theirs = (Bound(_LIMITS.get(quota, quota.name), quota.limit / each[quota]) for quota in QUOTAS)
    return tuple(sorted((*ours, *theirs), key=lambda bound: bound.carries))


def concurrency_for(pages_per_second: float, seconds_per_page: float) -> int:
    """Return the `concurrency` with which no more pages are asked for than the memberships API bears."""
    return min(int(MAXIMUM_CONCURRENCY.limit), max(2, floor(pages_per_second * seconds_per_page)))


def burst_seconds(exports: int, concurrency: int, run_seconds: float) -> float:
    """Return how long so many exports take that were all asked for at once."""
    return exports * run_seconds / concurrency


def _taken_by_one(run_seconds: float) -> dict[Quota, float]:
    """Return what one export takes of each quota, from its request until its record is gone."""
    calls = facts.CALLS + facts.AFTER
    writes, secret_reads = sum(call.writes for call in calls), facts.SECRETS_READ * run_seconds / facts.SECRET_SECONDS
    return {
        PARTITION: sum(call.by_wake for call in calls) / len(WAKE_PARTITIONS),  # ids are spread evenly
        NEW_TABLE: writes,
        TABLE: writes,
        RUNS: run_seconds,
        MAXIMUM_CONCURRENCY: run_seconds,
        IN_FLIGHT: run_seconds,
        PREFIX: 2,  # in each of the two folders one file is written and one deleted
        SECRET_READS: secret_reads,
        KMS_REQUESTS: secret_reads + 2 * run_seconds / facts.KEY_SECONDS,
    }
