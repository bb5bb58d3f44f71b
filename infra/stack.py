"""The whole deployment on one page: the parts, then who may do what, then what one needs to know afterwards."""

from pathlib import Path

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.api_service import ApiService, Surroundings
from infra.environment import Environment
from infra.functions import EXPORT_HANDLER, LONGEST_RUN, LONGEST_SWEEP, SWEEP_HANDLER, Function, Program
from infra.monitoring import Monitoring, Watched
from infra.network import Network
from infra.parameters import Parameters
from infra.permissions import Permissions
from infra.queues import WorkerQueue
from infra.secrets import Secrets
from infra.storage import Storage
from infra.topology import Worker


class MembershipsExportStack(Stack):
    """Everything of one deployment."""

    def __init__(self, scope: Construct, name: str, *, parameters: Parameters, code: Path) -> None:
        """Put the parts together. `code`: of the functions."""
        super().__init__(scope, name, description="Memberships Export Service")
        self._parameters = parameters
        self._key = kms.Key(
            self,
            "Key",
            enable_key_rotation=True,
            description="Memberships Export: all data at rest",
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        self._code = lambda_.Code.from_asset(str(code))
        self._network = Network(self, "Network", cidr=parameters.vpc_cidr)
        self._secrets = Secrets(
            self,
            "Secrets",
            key=self._key,
            smtp=parameters.smtp_host is not None,
            of_profiles=parameters.profile_secret_arns,
        )
        self._storage = Storage(self, "Storage", key=self._key)
        self._queues = [WorkerQueue(self, worker=worker, key=self._key) for worker in parameters.workers]
        self._environment = Environment(
            parameters=parameters, queues=self._queues, storage=self._storage, secrets=self._secrets
        )
        self._workers = dict(zip(parameters.workers, map(self._worker, parameters.workers, self._queues), strict=True))
        self._sweeper = self._sweep_function()
        self._api = self._api_service()
        self._operator = iam.Role(
            self,
            "Operator",
            assumed_by=iam.AccountRootPrincipal(),  # whom the account's own policies allow to take the role
            description="For people who look after exports and dead letters",
        )
        self._monitoring = self._watch()
        self._grant()
        self._tell()

    def _worker(self, worker: Worker, queue: WorkerQueue) -> Function:
        program = Program(
            name=worker.name,
            handler=EXPORT_HANDLER,
            longest_run=LONGEST_RUN,
            code=self._code,
            environment=self._environment.for_worker(queue),
            network=self._network if "fetch" in worker.stages else None,
            wakes_itself=True,
        )
        function = Function(self, program=program)
        function.wake_by(queue.queue, max_concurrency=self._parameters.limit_of(worker))
        return function

    def _sweep_function(self) -> Function:
        program = Program(
            name="SweepExports",
            handler=SWEEP_HANDLER,
            longest_run=LONGEST_SWEEP,
            code=self._code,
            environment=self._environment.for_sweeper(),
        )
        sweeper = Function(self, program=program)
        sweeper.run_every_minute()
        return sweeper

    def _api_service(self) -> ApiService:
        around = Surroundings(
            network=self._network,
            access_logs=self._storage.access_logs,
            parameters=self._parameters,
            environment=self._environment.for_api(),
        )
        return ApiService(self, "Api", around=around)

    def _watch(self) -> Monitoring:
        (deliverer,) = (made for worker, made in self._workers.items() if "deliver" in worker.stages)
        watched = Watched(
            queues=self._queues,
            workers=list(self._workers.values()),
            deliverer=deliverer,
            sweeper=self._sweeper,
            api=self._api,
        )
        return Monitoring(self, "Monitoring", watched=watched, key=self._key, email=self._parameters.alarm_email)

    def _grant(self) -> None:
        permissions = Permissions(storage=self._storage, secrets=self._secrets, queues=self._queues, key=self._key)
        for worker, function in self._workers.items():
            permissions.worker(function.role, worker.stages)
        permissions.sweeper(self._sweeper.role)
        permissions.api(self._api.role, bundled=not self._parameters.memberships_url)
        permissions.operator(self._operator)
        workers = [function.role for function in self._workers.values()]
        permissions.send(workers, [self._sweeper.role, self._api.role, self._operator])

    def _tell(self) -> None:
        smtp = self._parameters.smtp_host is not None
        outputs = {
            "LoadBalancer": (self._api.load_balancer.load_balancer_dns_name, "Point the domain here (CNAME)"),
            "SmtpSecret" if smtp else "SendGridSecret": (
                self._secrets.mail.secret_arn,
                f"Put the {'password of smtpUser' if smtp else 'SendGrid API key'} in here",
            ),
            "ServiceSecret": (
                self._secrets.service.secret_arn,
                "Your memberships API checks tokens with it",
            ),
            "LinkSecret": (self._secrets.links.secret_arn, "A new value ends all download links that were mailed"),
            "OperatorRole": (
                self._operator.role_arn,
                "Take this role for commands of operators",
            ),
            "OperatorSettings": (
                " ".join(f"{name}={value}" for name, value in self._environment.for_operator().items()),
                "Export these variables for commands of operators",
            ),
            "MembershipsClient": (
                self._network.memberships_client.security_group_id,
                "Let this security group into a memberships API that is not public",
            ),
            "ApiGroup": (
                self._api.service.connections.security_groups[0].security_group_id,
                "Let this security group into the database of the bundled memberships API",
            ),
            "AlarmTopic": (self._monitoring.topic.topic_arn, "Subscribe here to hear of alarms"),
        }
        for name, (value, description) in outputs.items():
            CfnOutput(self, f"{name}Output", value=value, description=description).override_logical_id(name)
