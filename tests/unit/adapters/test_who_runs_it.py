"""Who gives a command, as the audit log names them."""

import os
import pwd
from typing import cast

import pytest
from botocore.exceptions import EndpointConnectionError

from memberships_export.adapters.aws.caller import Sts, aws_caller
from memberships_export.adapters.embedded.os_user import os_user
from memberships_export.domain.errors import StorageUnavailable


def test_on_one_machine_it_is_the_user_of_the_operating_system(monkeypatch: pytest.MonkeyPatch) -> None:
    name = pwd.getpwuid(os.geteuid()).pw_name
    monkeypatch.setenv("USER", "somebody-else")
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert os_user() == name

    monkeypatch.setenv("SUDO_USER", "jo")
    assert os_user() == f"jo as {name}"


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)

    assert os_user() == "4000000000"


@pytest.mark.parametrize(
    "arn, name",
    [
        ("arn:aws:sts::123456789012:assumed-role/Operator/jo", "assumed-role/Operator/jo"),
        ("arn:aws:iam::123456789012:user/jo", "user/jo"),
        ("arn:aws-cn:iam::123456789012:root", "root"),
    ],
)
def test_on_aws_it_is_the_role_with_its_session_or_the_user(arn: str, name: str) -> None:
    class Known:
        def get_caller_identity(self) -> dict[str, str]:
            return {"Arn": arn}

    assert aws_caller(cast("Sts", Known())) == name


def test_who_it_is_must_be_known() -> None:
    class Away:
        def get_caller_identity(self) -> dict[str, str]:
            raise EndpointConnectionError(endpoint_url="https://sts.example")

    with pytest.raises(StorageUnavailable, match="AWS STS"):
        aws_caller(cast("Sts", Away()))
