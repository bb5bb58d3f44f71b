"""Who runs this process, by its credentials."""

from typing import Protocol, TypedDict

from memberships_export.adapters.aws.aws_errors import aws_errors


class _Identity(TypedDict):
    Arn: str


class Sts(Protocol):
    """What is used of the client for STS."""

    def get_caller_identity(self) -> _Identity:
        """Tell whose credentials these are. Needs no permission."""
        ...


def aws_caller(client: Sts) -> str:
    """Return the role with the name of its session, or the user: `assumed-role/Operator/jo`."""
    with aws_errors("AWS STS"):
        arn = client.get_caller_identity()["Arn"]
    return arn.split(":", 5)[-1]
