"""The ECS service memberships-api behind a load balancer that speaks HTTPS only."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.environment import API_PORT
from infra.grants import accept, role_for
from infra.network import Network
from infra.parameters import Parameters

_TASKS = 2  # one per zone
# A rule of a load balancer takes at most five paths.
_EXPORT_PATHS = ["/memberships/export*", "/webhooks/*", "/healthz", "/openapi.json"]
_ALL_PATHS = ["/memberships*", *_EXPORT_PATHS[1:]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the service needs around it."""

    network: Network
    access_logs: s3.Bucket
    parameters: Parameters
    environment: Mapping[str, str]


class ApiService(Construct):
    """Two containers in private subnets, and the load balancer in front of them."""

    def __init__(self, scope: Construct, name: str, *, around: Surroundings) -> None:
        """Make it. The task's role may do nothing until stack.py says so."""
        super().__init__(scope, name)
        self.role = role_for(self, "ecs-tasks.amazonaws.com", "What memberships-api may do")
        self.log_group = logs.LogGroup(
            self, "Log", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
        )
        self.service = self._service(around)
        self.load_balancer = self._load_balancer(around)
        self.targets = self._listen(around.parameters)

    def _service(self, around: Surroundings) -> ecs.FargateService:
        cluster = ecs.Cluster(
            self, "Cluster", vpc=around.network.vpc, container_insights_v2=ecs.ContainerInsights.ENABLED
        )
        return ecs.FargateService(
            self,
            "Service",
            service_name="memberships-api",
            cluster=cluster,
            task_definition=self._task(around),
            desired_count=_TASKS,
            min_healthy_percent=100,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            health_check_grace_period=Duration.seconds(60),
        )

    def _task(self, around: Surroundings) -> ecs.FargateTaskDefinition:
        task = ecs.FargateTaskDefinition(
            self,
            "Task",
            cpu=256,
            memory_limit_mib=512,
            task_role=self.role,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64, operating_system_family=ecs.OperatingSystemFamily.LINUX
            ),
        )
        accept(task, "Variables hold names and addresses; secrets are read by their ARN.", "AwsSolutions-ECS2")
        repository = ecr.Repository.from_repository_name(self, "Image", around.parameters.image_repository)
        task.add_container(
            "api",
            image=ecs.ContainerImage.from_ecr_repository(repository, around.parameters.image_tag),
            environment={**around.environment, "AWS_DEFAULT_REGION": Stack.of(self).region},
            secrets=self._database(around.parameters),
            port_mappings=[ecs.PortMapping(container_port=API_PORT)],
            logging=ecs.LogDrivers.aws_logs(stream_prefix="memberships-api", log_group=self.log_group),
        )
        accept(
            task.obtain_execution_role(),
            "ecr:GetAuthorizationToken, the login of ECS at the registry, knows no resources.",
            "AwsSolutions-IAM5[Resource::*]",
        )
        return task

    def _database(self, parameters: Parameters) -> dict[str, ecs.Secret]:
        """Return the database of the bundled memberships API; it exists already, this stack makes none."""
        if parameters.memberships_url or not parameters.database_secret_arn:
            return {}
        secret = secretsmanager.Secret.from_secret_complete_arn(self, "Database", parameters.database_secret_arn)
        return {"MEMBERSHIPS_EXPORT_MEMBERSHIPS_DATABASE_URL": ecs.Secret.from_secrets_manager(secret)}

    def _load_balancer(self, around: Surroundings) -> elb.ApplicationLoadBalancer:
        balancer = elb.ApplicationLoadBalancer(
            self,
            "LoadBalancer",
            vpc=around.network.vpc,
            internet_facing=True,
            drop_invalid_header_fields=True,
            idle_timeout=Duration.seconds(60),  # shorter than the API keeps a connection open
        )
        _log_access(balancer, around.access_logs)
        return balancer

    def _listen(self, parameters: Parameters) -> elb.ApplicationTargetGroup:
        listener = self.load_balancer.add_listener(
            "Https",
            port=443,
            certificates=[elb.ListenerCertificate.from_arn(parameters.certificate_arn)],
            ssl_policy=elb.SslPolicy.RECOMMENDED_TLS,
            default_action=elb.ListenerAction.fixed_response(404),
        )
        accept(self.load_balancer, "Members reach the service from anywhere, over TLS only.", "AwsSolutions-EC23")
        paths = _EXPORT_PATHS if parameters.memberships_url else _ALL_PATHS
        return listener.add_targets(
            "Api",
            priority=10,
            conditions=[elb.ListenerCondition.path_patterns(paths)],
            protocol=elb.ApplicationProtocol.HTTP,  # inside the VPC, from the load balancer to its two targets
            port=API_PORT,
            targets=[self.service],
            deregistration_delay=Duration.seconds(30),
            health_check=elb.HealthCheck(path="/healthz", interval=Duration.seconds(15)),
        )


def _log_access(balancer: elb.ApplicationLoadBalancer, bucket: s3.Bucket) -> None:
    """Log requests. The CDK's own method needs to know the region before the deployment; this form does not."""
    balancer.set_attribute("access_logs.s3.enabled", "true")
    balancer.set_attribute("access_logs.s3.bucket", bucket.bucket_name)
    balancer.set_attribute("access_logs.s3.prefix", "load-balancer")
    writer = iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")
    written = bucket.grant_put(writer, "load-balancer/*")
    written.apply_before(balancer)
