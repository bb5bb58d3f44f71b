"""The numbers that alarms ring for and the dashboard shows: those that the service writes to its logs, and sums.

Alarms count lines of the log by filters; the graphs of exports are of metrics that the service writes by itself.
"""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elb

from infra.api_service import ApiService
from memberships_export.adapters.aws.emf import DIMENSION, NAMESPACE, metric_name
from memberships_export.domain.metric import Metric
from memberships_export.service.metrics import EXPORT_SECONDS, FINISHED, PAUSED, REFUSED, RETRIES

_FIVE, _HOUR = Duration.minutes(5), Duration.hours(1)


def server_errors(api: ApiService) -> cloudwatch.MathExpression:
    """Count the 5xx of the containers, and those that the load balancer says in their place: 502, 503, 504."""
    own = api.targets.metrics.http_code_target(elb.HttpCodeTarget.TARGET_5XX_COUNT, statistic="Sum")
    in_their_place = api.load_balancer.metrics.http_code_elb(elb.HttpCodeElb.ELB_5XX_COUNT, statistic="Sum")
    return cloudwatch.MathExpression(
        expression="FILL(containers, 0) + FILL(balancer, 0)",  # one without data would make the sum missing too
        using_metrics={"containers": own, "balancer": in_their_place},
        period=_FIVE,
        label="Answers with 5xx",
    )


def oldest_unfinished() -> cloudwatch.Metric:
    """Age in seconds of the oldest export that should be moving and is not finished, as the sweeper saw it."""
    return _own_metric("OldestUnfinishedExportSeconds", _FIVE, "Maximum")


def paused() -> cloudwatch.Metric:
    """1 when the service was paused for the whole of an hour, as the sweeper saw it."""
    return _written(PAUSED, "Minimum", _HOUR)


def internal_errors() -> cloudwatch.Metric:
    """Errors that nobody foresaw and a function caught."""
    return _own_metric("InternalErrors", _FIVE, "Sum")


def refusals() -> cloudwatch.Metric:
    """Refusals that a person has to mend: of the memberships API, the identity provider or the mail service."""
    return _own_metric("Refusals", _FIVE, "Sum")


def sends() -> cloudwatch.Metric:
    """Mails that the mail service took, within an hour."""
    return _own_metric("Sends", _HOUR, "Sum")


def bounced() -> cloudwatch.Metric:
    """Mails that came back, within an hour."""
    return _own_metric("BouncedMails", _HOUR, "Sum")


def exports() -> list[cloudwatch.IMetric]:
    """Count the exports that came to their end within an hour, by which one."""
    return [_written(FINISHED, "Sum", _HOUR, outcome) for outcome in FINISHED.values]


def failure_rate() -> cloudwatch.MathExpression:
    """Of 100 exports that finished within an hour, how many failed."""
    done = "(FILL(completed, 0) + FILL(failed, 0))"
    return cloudwatch.MathExpression(
        expression=f"IF({done} > 0, 100 * FILL(failed, 0) / {done}, 0)",
        using_metrics={name: _written(FINISHED, "Sum", _HOUR, name) for name in ("completed", "failed")},
        period=_HOUR,
        label="Failed exports, percent",
    )


def durations() -> list[cloudwatch.IMetric]:
    """From the request to the accepted mail, in seconds: of half of the exports, and of 95 of 100."""
    return [_written(EXPORT_SECONDS, statistic, _HOUR) for statistic in ("p50", "p95")]


def waits() -> list[cloudwatch.IMetric]:
    """How often exports had to wait for a next try, and requests were refused, within an hour."""
    return [_written(metric, "Sum", _HOUR) for metric in (RETRIES, REFUSED)]


def _written(metric: Metric, statistic: str, period: Duration, label: str = "") -> cloudwatch.Metric:
    """Return what the service writes in the embedded metric format."""
    name = metric_name(metric, label)
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map=DIMENSION,
        period=period,
        statistic=statistic,
        label=f"{name} {statistic}" if statistic.startswith("p") else name,
    )


def _own_metric(name: str, period: Duration, statistic: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(namespace=NAMESPACE, metric_name=name, period=period, statistic=statistic)
