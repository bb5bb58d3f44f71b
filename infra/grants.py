"""How permissions are given: actions by name on resources by name, so that one line of stack.py is one permission."""

from collections.abc import Iterable

from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct, IConstruct

# What users of a table, queue or bucket under a customer's key need. The CDK's own grants use wildcards here.
_KEY_USE = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


def allow(role: iam.IGrantable, actions: Iterable[str], *resources: str) -> None:
    """Allow exactly these actions on exactly these resources."""
    statement = iam.PolicyStatement(actions=list(actions), resources=list(resources))
    role.grant_principal.add_to_principal_policy(statement)


def allow_key(role: iam.IGrantable, key: kms.IKey) -> None:
    """Allow to read and write what this key protects, where the role may reach it at all."""
    allow(role, _KEY_USE, key.key_arn)


def role_for(scope: Construct, service: str, description: str) -> iam.Role:
    """Make an empty role for a service of AWS: it may do nothing until stack.py says so."""
    return iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal(service), description=description)


def accept(construct: IConstruct, reason: str, *findings: str) -> None:
    """Accept findings of cdk-nag for a reason."""
    Validations.of(construct).acknowledge(*(Acknowledgment(id=finding, reason=reason) for finding in findings))
