"""The synthesised template, deployed to the simulated AWS through CloudFormation, and read back from there.

What moto's CloudFormation cannot make is made beforehand (the secrets) or left out (`LEFT_OUT`); everything else is
made by the template, and what the programs are properties is what the deployed resources say.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3

from rig.aws.fake_aws import REGION, FakeAws

STACK: Final = "MembershipsExport"
SECRET: Final = "AWS::SecretsManager::Secret"
MAPPING: Final = "AWS::Lambda::EventSourceMapping"  # moto would run the function inside SendMessage
LEFT_OUT: Final = frozenset(
    {
        MAPPING,
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",  # shows the alarms
        "AWS::EC2::SecurityGroupEgress",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Logs::MetricFilter",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    }
)
Template = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class DeployedFunction:
    """A function as Lambda would describe it."""

    name: str
    handler: str
    timeout_seconds: int
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class DeployedMapping:
    """Which queue wakes which function, one message after the other, in how many processes at most."""

    function: str
    queue_url: str
    batch_size: int
    concurrency: int


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What the stack holds. `api` are the variables of the container."""

    functions: Mapping[str, DeployedFunction]
    mappings: tuple[DeployedMapping, ...]
    api: Mapping[str, str]
    outputs: Mapping[str, str]
    secrets: Mapping[str, str]  # ARN by logical id


def deploy(aws: FakeAws, folder: Path) -> Deployment:
    """Deploy what was synthesised into the folder: upload the assets, make the stack, look at it."""
    template: Template = json.loads((folder / f"{STACK}.template.json").read_text(encoding="utf-8"))
    _upload(aws, json.loads((folder / f"{STACK}.assets.json").read_text(encoding="utf-8")), folder)
    _client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="21", Type="String")
    secrets = {name: _new_secret(name) for name in _of_type(template, SECRET)}
    body = json.dumps(_for_moto(template, secrets))
    cloudformation = _client("cloudformation")
    cloudformation.create_stack(StackName=STACK, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
    (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return Deployment(
        functions=_functions(),
        mappings=tuple(_mappings(template)),
        api=_container(),
        outputs=outputs,
        secrets=secrets,
    )


def _client(service: str) -> Any:  # noqa: ANN401  (of services that have no stubs here)
    return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]


def _of_type(template: Template, kind: str) -> dict[str, Any]:
    return {name: found for name, found in template["Resources"].items() if found["Type"] == kind}


def _upload(aws: FakeAws, assets: Mapping[str, Any], folder: Path) -> None:
    """Put the files where `cdk deploy` puts them: into the bucket that bootstrapping made."""
    account = _client("sts").get_caller_identity()["Account"]
    bucket = f"cdk-hnb659fds-assets-{account}-{REGION}"
    aws.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    for asset in assets["files"].values():
        (place,) = asset["destinations"].values()
        content = (folder / asset["source"]["path"]).read_bytes()
        aws.s3.put_object(Bucket=bucket, Key=place["objectKey"], Body=content)


def _new_secret(name: str) -> str:
    arn: str = _client("secretsmanager").create_secret(Name=name, SecretString="s" * 64)["ARN"]
    return arn


def _for_moto(template: Template, secrets: Mapping[str, str]) -> Template:
    """Leave out what moto cannot make, and put in what exists already: the secrets and a certificate."""
    kept = {
        name: found
        for name, found in template["Resources"].items()
        if found["Type"] not in LEFT_OUT and name not in secrets
    }
    certificate = _client("acm").request_certificate(DomainName="memberships.example.org")["CertificateArn"]
    for listener in _of_type(template, "AWS::ElasticLoadBalancingV2::Listener").values():
        listener["Properties"]["Certificates"] = [{"CertificateArn": certificate}]
    complete: Template = _with_arns({**template, "Resources": kept}, secrets)
    return complete


def _with_arns(value: Any, arns: Mapping[str, str]) -> Any:  # noqa: ANN401  (any JSON value)
    if isinstance(value, dict):
        if set(value) == {"Ref"} and value["Ref"] in arns:
            return arns[value["Ref"]]
        return {name: _with_arns(entry, arns) for name, entry in value.items()}
    return [_with_arns(entry, arns) for entry in value] if isinstance(value, list) else value


def _functions() -> dict[str, DeployedFunction]:
    return {
        found["FunctionName"]: DeployedFunction(
            name=found["FunctionName"],
            handler=found["Handler"],
            timeout_seconds=found["Timeout"],
            environment=found["Environment"]["Variables"],
        )
        for found in _client("lambda").list_functions()["Functions"]
    }


def _mappings(template: Template) -> Iterable[DeployedMapping]:
    made = _client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    ids = {resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "") for resource in made}
    for found in _of_type(template, MAPPING).values():
        properties = found["Properties"]
        assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"], (
            "given-back messages would be deleted"
        )
        yield DeployedMapping(
            function=ids[properties["FunctionName"]["Ref"]],
            queue_url=ids[properties["EventSourceArn"]["Fn::GetAtt"][0]],
            batch_size=properties["BatchSize"],
            concurrency=properties["ScalingConfig"]["MaximumConcurrency"],
        )


def _container() -> dict[str, str]:
    ecs = _client("ecs")
    (task,) = ecs.list_task_definitions()["taskDefinitionArns"]
    (container,) = ecs.describe_task_definition(taskDefinition=task)["taskDefinition"]["containerDefinitions"]
    return {variable["name"]: variable["value"] for variable in container["environment"]}
