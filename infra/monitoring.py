"""What a person must hear of, and the dashboard to look at then."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.api_service import ApiService
from infra.functions import Function
from infra.metrics import (
    bounced,
    durations,
    exports,
    failure_rate,
    internal_errors,
    oldest_unfinished,
    paused,
    refusals,
    sends,
    server_errors,
    waits,
)
from infra.queues import WorkerQueue
from memberships_export.adapters.aws.emf import NAMESPACE

_MINUTE, _FIVE, _HOUR = Duration.minutes(1), Duration.minutes(5), Duration.hours(1)
_AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_LESS = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
_NO_DATA = cloudwatch.TreatMissingData


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The parts of the stack that are watched."""

    queues: Sequence[WorkerQueue]
    workers: Sequence[Function]
    deliverer: Function
    sweeper: Function
    api: ApiService


class Monitoring(Construct):
    """Alarms that reach people through one topic, and one dashboard."""

    def __init__(self, scope: Construct, name: str, *, watched: Watched, key: kms.IKey, email: str | None) -> None:
        """Make them; `email` is subscribed to the topic when it is given."""
        super().__init__(scope, name)
        self.topic = self._topic(key, email)
        self._alarms: list[cloudwatch.Alarm] = []
        for queue in watched.queues:
            self._watch_queue(queue)
        for function in (*watched.workers, watched.sweeper):
            self._watch_function(function)
        self._watch_errors((*watched.workers, watched.sweeper))
        self._watch_refusals((*(worker.log_group for worker in watched.workers), watched.api.log_group))
        self._watch_exports(watched)
        self._watch_mails(watched)
        self._watch_api(watched.api)
        self._dashboard(watched)

    def _topic(self, key: kms.IKey, email: str | None) -> sns.Topic:
        topic = sns.Topic(self, "Alarms", master_key=key, enforce_ssl=True)
        topic.add_to_resource_policy(  # a topic with a policy of its own has lost the one that allows its account
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],  # in the policy of a key: this key
            )
        )
        if email:
            topic.add_subscription(subscriptions.EmailSubscription(email))
        return topic

    def _alarm(
        self,
        name: str,
        text: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        compare: cloudwatch.ComparisonOperator = _AT_LEAST,
    ) -> None:
        """Add an alarm; where a metric must not get small, its absence is an alarm too."""
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_description=text,
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=compare,
            treat_missing_data=_NO_DATA.BREACHING if compare is _LESS else _NO_DATA.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        self._alarms.append(alarm)

    def _watch_queue(self, queue: WorkerQueue) -> None:
        dead = queue.dead_letters.metric_approximate_number_of_messages_visible(period=_MINUTE, statistic="Maximum")
        self._alarm(f"{queue.name}DeadLetters", "Dead letters wait for a person: memberships-export dlq list", dead, 1)
        oldest = queue.queue.metric_approximate_age_of_oldest_message(period=_FIVE, statistic="Maximum")
        # A run takes up to 15 minutes, and its message counts until it ends.
        self._alarm(f"{queue.name}OldestMessage", "Messages wait too long: nobody takes them", oldest, 1800)

    def _watch_function(self, function: Function) -> None:
        errors = function.function.metric_errors(period=_FIVE)
        self._alarm(f"{function.name}Errors", "The function failed; its log says why", errors, 1)
        throttles = function.function.metric_throttles(period=_FIVE)
        self._alarm(f"{function.name}Throttles", "The account has too little concurrency left", throttles, 1)

    def _watch_errors(self, functions: Sequence[Function]) -> None:
        """Watch for what the functions catch: Lambda counts such a run as a success."""
        for function in functions:
            self._filter("InternalErrors", function.log_group, _event("internal_error"))
        text = "A function met an error that nobody foresaw; the log says which: event=internal_error"
        self._alarm("InternalErrors", text, internal_errors(), 1)

    def _watch_refusals(self, groups: Sequence[logs.LogGroup]) -> None:
        for group in groups:
            self._filter("Refusals", group, _event("refused"))
        text = "Somebody refuses us, and a person has to mend it; the log says who and why: event=refused"
        self._alarm("Refused", text, refusals(), 1)

    def _watch_exports(self, watched: Watched) -> None:
        self._filter(
            "OldestUnfinishedExportSeconds",
            watched.sweeper.log_group,
            _event("sweep"),
            value="$.oldest_unfinished_seconds",
        )
        text = "An export has been unfinished for an hour; its record says what it waits for"
        self._alarm("OldestUnfinished", text, oldest_unfinished(), 3600)
        self._alarm("Paused", "The service has been paused for an hour: no mail leaves", paused(), 1)
        runs = watched.sweeper.function.metric_invocations(period=_FIVE)
        self._alarm("SweeperSilent", "The sweeper has not run for five minutes: nothing is retried", runs, 1, _LESS)

    def _watch_mails(self, watched: Watched) -> None:
        bounced_ones = logs.FilterPattern.string_value("$.delivery", "=", "bounced")
        back = logs.FilterPattern.all(_event("mail_event"), bounced_ones)
        self._filter("BouncedMails", watched.api.log_group, back)
        self._filter("Sends", watched.deliverer.log_group, _event("sent"))
        rate = cloudwatch.MathExpression(
            expression="IF(sends >= 20, 100 * bounced / sends, 0)",  # one bounce of three mails is no rate
            using_metrics={"bounced": bounced(), "sends": sends()},
            period=_HOUR,
            label="Bounced mails, percent",
        )
        self._alarm("BounceRate", "Of 100 mails 5 or more bounced within an hour", rate, 5)

    def _watch_api(self, api: ApiService) -> None:
        self._alarm("ApiErrors", "The API answered 5xx five times in five minutes", server_errors(api), 5)
        healthy = api.targets.metrics.healthy_host_count(period=_MINUTE, statistic="Maximum")
        self._alarm("ApiDown", "No container of the API is healthy: users get 503", healthy, 1, _LESS)

    def _filter(self, name: str, group: logs.LogGroup, pattern: logs.IFilterPattern, *, value: str = "1") -> None:
        logs.MetricFilter(
            group,
            name,
            log_group=group,
            filter_pattern=pattern,
            metric_namespace=NAMESPACE,
            metric_name=name,
            metric_value=value,
        )

    def _dashboard(self, watched: Watched) -> None:
        board = cloudwatch.Dashboard(self, "Dashboard", dashboard_name="MembershipsExport")
        board.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=self._alarms, width=24, height=4))
        ages = [queue.queue.metric_approximate_age_of_oldest_message(label=queue.name) for queue in watched.queues]
        board.add_widgets(
            cloudwatch.GraphWidget(title="Exports per hour", left=exports()),
            cloudwatch.GraphWidget(title="Failed exports, percent", left=[failure_rate()]),
            cloudwatch.GraphWidget(title="From request to mail, seconds", left=durations()),
            cloudwatch.GraphWidget(title="Oldest message, seconds", left=ages),
        )
        board.add_widgets(*(_queue_graph(queue) for queue in watched.queues))
        board.add_widgets(*(_function_graph(function) for function in (*watched.workers, watched.sweeper)))
        board.add_widgets(
            cloudwatch.GraphWidget(title="Oldest unfinished export, seconds", left=[oldest_unfinished()]),
            cloudwatch.GraphWidget(title="Waits of exports, refused requests", left=waits()),
            cloudwatch.GraphWidget(title="Internal errors and refusals", left=[internal_errors(), refusals()]),
            cloudwatch.GraphWidget(title="Mails", left=[sends(), bounced()]),
            cloudwatch.GraphWidget(title="API, requests", left=[watched.api.targets.metrics.request_count()]),
        )


def _event(name: str) -> logs.JsonPattern:
    """Match the lines of one event; all programs of the stack log as JSON."""
    return logs.FilterPattern.string_value("$.event", "=", name)


def _queue_graph(queue: WorkerQueue) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=queue.name,
        left=[
            queue.queue.metric_approximate_number_of_messages_visible(label="waiting"),
            queue.queue.metric_approximate_number_of_messages_not_visible(label="in hand"),
            queue.dead_letters.metric_approximate_number_of_messages_visible(label="dead letters"),
        ],
    )


def _function_graph(function: Function) -> cloudwatch.GraphWidget:
    made = function.function
    return cloudwatch.GraphWidget(
        title=function.name,
        left=[made.metric_invocations(), made.metric_errors(), made.metric_throttles()],
        right=[made.metric_duration()],
    )
