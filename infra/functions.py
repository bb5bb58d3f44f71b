"""The functions: ExportMemberships (or one per stage), and the sweeper."""

from dataclasses import dataclass

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.grants import accept, allow, role_for
from infra.network import Network

EXPORT_HANDLER = "memberships_export.entrypoints.aws_lambda.export.handler"
SWEEP_HANDLER = "memberships_export.entrypoints.aws_lambda.sweep.handler"
# An export holds a page and a chunk of the file in memory, about 150 MB with the interpreter. The processor grows with
# the memory, and below 512 MB the TLS handshakes of a cold start take longer than the rest of a small export.
_MEMORY_MB = 512
LONGEST_RUN = Duration.minutes(15)
_SWEEP_EVERY, LONGEST_SWEEP = Duration.minutes(1), Duration.minutes(5)
# A run whose time is up sends its export's message again, for the next run. Lambda takes that for a mistake, and by
# default stops it after about 16 rounds, in the middle of a large export. What bounds it here is in the policy of the
# domain: 5 claims in a row that get no further, and 24 hours of trouble in one go.
_LOOP = lambda_.RecursiveLoop.ALLOW
_PLACE_IN_NETWORK = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a function runs and what it is told. With a network it is placed there, as a client of memberships.

    `wakes_itself`: it sends messages to the queue that wakes it.
    """

    name: str
    handler: str
    longest_run: Duration
    code: lambda_.Code
    environment: dict[str, str]
    network: Network | None = None
    wakes_itself: bool = False


class Function(Construct):
    """A function with a role and a log of its own."""

    def __init__(self, scope: Construct, *, program: Program) -> None:
        """Make it. Apart from writing its log it may do nothing until stack.py says so."""
        super().__init__(scope, program.name)
        self.name = program.name
        self.role = role_for(self, "lambda.amazonaws.com", f"What {program.name} may do")
        self.log_group = self._log_group()
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=program.name,
            handler=program.handler,
            code=program.code,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            memory_size=_MEMORY_MB,
            timeout=program.longest_run,
            environment=program.environment,
            log_group=self.log_group,
            role=self.role,
            vpc=program.network.vpc if program.network else None,
            security_groups=[program.network.memberships_client] if program.network else None,
            recursive_loop=_LOOP if program.wakes_itself else None,
        )
        accept(self.function, "The newest Python that the project's classifiers name.", "AwsSolutions-L1")
        if program.network:
            self._allow_placement()

    def wake_by(self, queue: sqs.IQueue, *, max_concurrency: int) -> None:
        """Take one message at a time. Messages beyond `max_concurrency` stay in the queue, untouched."""
        self.function.add_event_source(
            sources.SqsEventSource(
                queue,
                batch_size=1,  # an export is long: a killed run must not take other messages with it
                max_concurrency=max_concurrency,
                report_batch_item_failures=True,  # without it, a message that was given back would be deleted
            )
        )

    def run_every_minute(self) -> None:
        """Run on a schedule. A run that fails is not repeated: the next one comes within a minute.

        The rule only hands a run over. Lambda itself would repeat a failed one twice, and keep one that finds no room
        for up to six hours, so that hundreds would wait behind each other.
        """
        self.function.configure_async_invoke(retry_attempts=0, max_event_age=_SWEEP_EVERY)
        target = targets.LambdaFunction(self.function, retry_attempts=0)
        events.Rule(self, "EveryMinute", schedule=events.Schedule.rate(_SWEEP_EVERY), targets=[target])

    def _log_group(self) -> logs.LogGroup:
        group = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/lambda/{self.name}",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        group.grant_write(self.role)
        return group

    def _allow_placement(self) -> None:
        allow(self.role, _PLACE_IN_NETWORK, "*")
        accept(
            self.role,
            "Lambda makes its network interfaces with the function's role; their names are not known beforehand.",
            "AwsSolutions-IAM5[Resource::*]",
        )
