"""The bill of AWS for a month, line by line, and that of SendGrid: counted calls times list prices."""

from dataclasses import dataclass

from bench import facts, prices
from bench.facts import Load

_ALL = facts.CALLS + facts.AFTER
_GB = 1e9


@dataclass(frozen=True, slots=True)
class Line:
    """USD a month for one service: what is paid without any export, and what the exports add."""

    name: str
    fixed: float
    use: float


def bill(load: Load) -> tuple[Line, ...]:
    """Return the bill of AWS, without the mails."""
    return (*_queue_and_functions(load), *_records(load), *_files(load), *_secrets(load), _watching(load), *_net(load))


def mails(load: Load) -> tuple[float, float]:
    """Return USD a month for SendGrid at its lowest and highest published rate, one mail for each export."""
    if load.exports <= 50_000:
        return prices.MAIL_BASE.usd, prices.MAIL_BASE.usd
    return load.exports * prices.MAIL_LEAST.each, load.exports * prices.MAIL_MOST.each


def _queue_and_functions(load: Load) -> tuple[Line, ...]:
    requests = sum(call.name.endswith("Message") for call in facts.CALLS)
    messages = load.exports * (requests * prices.SQS.each + prices.SQS_FAIR.each)
    run = prices.LAMBDA.each + load.run_seconds * facts.MEMORY_GB * prices.LAMBDA_GB_SECOND.each
    visits = facts.VISITS * facts.VISIT_SECONDS * facts.MEMORY_GB * prices.LAMBDA_GB_SECOND.each
    sweep = prices.LAMBDA.each + facts.PASS_SECONDS * facts.MEMORY_GB * prices.LAMBDA_GB_SECOND.each
    return (
        Line("SQS", facts.POLLERS * facts.SECONDS / facts.POLL_SECONDS * prices.SQS.each, messages),
        Line("Lambda", facts.MINUTES * sweep, load.exports * (run + visits)),
    )


def _records(load: Load) -> tuple[Line, ...]:
    per_write = load.exports * prices.WRITE.each
    reads = load.exports * prices.READ.each * sum(call.reads for call in _ALL)
    table, entries = (load.exports * size / _GB for size in (facts.RECORD_BYTES, facts.INDEX_BYTES))  # kept for a month
    kept = (table + entries) * prices.TABLE_GB.each + table * prices.RECOVERY_GB.each
    return (
        Line("DynamoDB, writes of the table", 0, per_write * sum(call.writes for call in _ALL)),
        Line("DynamoDB, writes of `by-wake`", 0, per_write * sum(call.by_wake for call in _ALL)),
        Line("DynamoDB, writes of `by-user`", 0, per_write * sum(call.by_user for call in _ALL)),
        Line("DynamoDB, writes of `by-address`", 0, per_write * sum(call.by_address for call in _ALL)),
        Line("DynamoDB, reads", facts.MINUTES * facts.SWEEP_QUERIES * 0.5 * prices.READ.each, reads),
        Line("DynamoDB, storage and recovery", 0, kept),
    )


def _files(load: Load) -> tuple[Line, ...]:
    week = 7 * 24 / facts.HOURS
    calls = [sum(call.name == name for call in _ALL) for name in ("S3 PUT", "S3 List")]
    put, listed = (load.exports * count * prices.S3_WRITE.each for count in calls)
    stored = load.exports * facts.FILE_BYTES / _GB * week * prices.S3_GB.each
    return Line("S3, PUT", 0, put), Line("S3, List", 0, listed), Line("S3, storage", 0, stored)


def _secrets(load: Load) -> tuple[Line, ...]:
    """Count every read of a secret as a request to KMS too, and two for each warm function and period.

    Without exports: SQS (twice for each sending task, once for Lambda), DynamoDB for the tasks, both for the sweeper.
    """
    periods = facts.SECONDS / facts.KEY_SECONDS
    idle = periods * (2 * facts.TASKS + 1 + facts.TASKS + 2)
    asked = load.secret_reads + 2 * min(load.exports, load.warm * periods)
    return (
        Line("KMS", prices.KMS_KEY.usd + idle * prices.KMS.each, asked * prices.KMS.each),
        Line("Secrets Manager", facts.SECRETS * prices.SECRET.usd, load.secret_reads * prices.SECRET_READ.each),
    )


def _watching(load: Load) -> Line:
    metrics = (facts.OWN_METRICS + facts.INSIGHT_METRICS) * prices.METRIC.usd
    fixed = facts.ALARM_METRICS * prices.ALARM.usd + metrics + prices.DASHBOARD.usd
    written = load.exports * (facts.LOG_BYTES + facts.NUMBER_BYTES)
    return Line("CloudWatch", fixed, written / _GB * prices.LOG_GB.each)


def _net(load: Load) -> tuple[Line, ...]:
    task = prices.FARGATE_CPU.usd / 4 + prices.FARGATE_GB.usd / 2
    units = load.average * facts.CONNECTIONS / 25
    return (
        Line("NAT gateway", facts.HOURS * prices.NAT.usd, load.exports * facts.NAT_BYTES / _GB * prices.NAT_GB.each),
        Line("Data out to the internet", 0, load.exports * facts.OUT_BYTES / _GB * prices.OUT_GB.each),
        Line("Public IPv4 addresses", facts.HOURS * (1 + facts.ZONES) * prices.IPV4.usd, 0),
        Line("Load balancer", facts.HOURS * prices.BALANCER.usd, facts.HOURS * units * prices.LCU.usd),
        Line("Fargate", facts.HOURS * facts.TASKS * task, 0),
    )
