"""The bill of AWS for a month, line by line, and that of SendGrid: counted calls times list prices."""

from dataclasses import dataclass

from bench import cost, prices
from bench.cost import Load

_ALL = cost.CALLS + cost.AFTER
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
    requests = sum(call.name.endswith("Message") for call in cost.CALLS)
    messages = load.exports * (requests * prices.SQS.each + prices.SQS_FAIR.each)
    run = prices.LAMBDA.each + load.run_seconds * cost.MEMORY_GB * prices.LAMBDA_GB_SECOND.each
    visits = cost.VISITS * cost.VISIT_SECONDS * cost.MEMORY_GB * prices.LAMBDA_GB_SECOND.each
    sweep = prices.LAMBDA.each + cost.PASS_SECONDS * cost.MEMORY_GB * prices.LAMBDA_GB_SECOND.each
    return (
        Line("SQS", cost.POLLERS * cost.SECONDS / cost.POLL_SECONDS * prices.SQS.each, messages),
        Line("Lambda", cost.MINUTES * sweep, load.exports * (run + visits)),
    )


def _records(load: Load) -> tuple[Line, ...]:
    per_write = load.exports * prices.WRITE.each
    reads = load.exports * prices.READ.each * sum(call.reads for call in _ALL)
    table, entries = (load.exports * size / _GB for size in (cost.RECORD_BYTES, cost.INDEX_BYTES))  # kept for a month
    kept = (table + entries) * prices.TABLE_GB.each + table * prices.RECOVERY_GB.each
    return (
        Line("DynamoDB, writes of the table", 0, per_write * sum(call.writes for call in _ALL)),
        Line("DynamoDB, writes of `by-wake`", 0, per_write * sum(call.by_wake for call in _ALL)),
        Line("DynamoDB, writes of `by-user`", 0, per_write * sum(call.by_user for call in _ALL)),
        Line("DynamoDB, reads", cost.MINUTES * cost.SWEEP_QUERIES * 0.5 * prices.READ.each, reads),
        Line("DynamoDB, storage and recovery", 0, kept),
    )


def _files(load: Load) -> tuple[Line, ...]:
    week = 7 * 24 / cost.HOURS
    calls = [sum(call.name == name for call in _ALL) for name in ("S3 PUT", "S3 List")]
    put, listed = (load.exports * count * prices.S3_WRITE.each for count in calls)
    stored = load.exports * cost.FILE_BYTES / _GB * week * prices.S3_GB.each
    return Line("S3, PUT", 0, put), Line("S3, List", 0, listed), Line("S3, storage", 0, stored)


def _secrets(load: Load) -> tuple[Line, ...]:
    """Count every read of a secret as a request to KMS too, and two for each warm function and period.

    Without exports: SQS (twice for each sending task, once for Lambda), DynamoDB for the tasks, both for the sweeper.
    """
    periods = cost.SECONDS / cost.KEY_SECONDS
    idle = periods * (2 * cost.TASKS + 1 + cost.TASKS + 2)
    asked = load.secret_reads + 2 * min(load.exports, load.warm * periods)
    return (
        Line("KMS", prices.KMS_KEY.usd + idle * prices.KMS.each, asked * prices.KMS.each),
        Line("Secrets Manager", cost.SECRETS * prices.SECRET.usd, load.secret_reads * prices.SECRET_READ.each),
    )


def _watching(load: Load) -> Line:
    metrics = (cost.OWN_METRICS + cost.INSIGHT_METRICS) * prices.METRIC.usd
    fixed = cost.ALARM_METRICS * prices.ALARM.usd + metrics + prices.DASHBOARD.usd
    return Line("CloudWatch", fixed, load.exports * cost.LOG_BYTES / _GB * prices.LOG_GB.each)


def _net(load: Load) -> tuple[Line, ...]:
    task = prices.FARGATE_CPU.usd / 4 + prices.FARGATE_GB.usd / 2
    units = load.average * cost.CONNECTIONS / 25
    return (
        Line("NAT gateway", cost.HOURS * prices.NAT.usd, load.exports * cost.NAT_BYTES / _GB * prices.NAT_GB.each),
        Line("Data out to the internet", 0, load.exports * cost.OUT_BYTES / _GB * prices.OUT_GB.each),
        Line("Public IPv4 addresses", cost.HOURS * (1 + cost.ZONES) * prices.IPV4.usd, 0),
        Line("Load balancer", cost.HOURS * prices.BALANCER.usd, cost.HOURS * units * prices.LCU.usd),
        Line("Fargate", cost.HOURS * cost.TASKS * task, 0),
    )
