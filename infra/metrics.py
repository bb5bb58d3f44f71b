"""The numbers that alarms ring for and the dashboard shows: those that the service writes to its logs, and sums."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elb

from infra.api_service import ApiService

NAMESPACE = "MembershipsExport"
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


def _own_metric(name: str, period: Duration, statistic: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(namespace=NAMESPACE, metric_name=name, period=period, statistic=statistic)
