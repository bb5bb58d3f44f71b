"""What stands behind `env:` and `secret:` in a process, on one machine and on AWS."""

from pathlib import Path

import pytest
from botocore.stub import Stubber

from memberships_export.adapters.aws import connections
from memberships_export.bootstrap.aws import Aws
from memberships_export.bootstrap.one_machine import OneMachine
from memberships_export.bootstrap.parts import access_problems
from memberships_export.settings import Settings
from rig.services.recording_api import RecordingApi
from tests.unit.adapters.asking import PAGE, known

BEARER = known({"type": "bearer", "token": "env:API_TOKEN"})
MANAGED = known({"type": "bearer", "token": "secret:club/api"})


@pytest.fixture
def on_aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    return Aws(Settings(backend="aws", table="t", bucket="b", queue_url="https://sqs.example.org/1/q"))


def test_a_process_asks_with_the_variable_that_the_profile_names_as_it_was_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", "at-the-start")
    with RecordingApi() as api:
        source = OneMachine(Settings(data_dir=tmp_path)).connect(api.url).source
        monkeypatch.setenv("API_TOKEN", "later")
        assert source
        source.fetch(PAGE, BEARER)
    assert api.seen[0].header("Authorization") == "Bearer at-the-start"


def test_on_one_machine_what_keeps_a_process_from_asking_is_found_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("API_TOKEN", raising=False)
    secrets = OneMachine(Settings(data_dir=tmp_path)).profile_secrets
    assert access_problems(BEARER.profile, secrets) == [
        "env:API_TOKEN is not set: set the environment variable API_TOKEN before the start."
    ]
    (problem,) = access_problems(MANAGED.profile, secrets)
    assert problem.startswith("secret:club/api is a secret of AWS Secrets Manager, and only a service on AWS")
    twice = known({"type": "http_basic", "username": "a:b", "password": "env:API_TOKEN"})
    assert len(access_problems(twice.profile, secrets)) == 2
    assert access_problems(known().profile, secrets) == []


def test_on_aws_a_secret_is_read_with_its_first_use_kept_and_read_anew_when_it_was_refused(
    on_aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connections.Clients().secrets_manager
    monkeypatch.setattr(connections.Clients, "secrets_manager", client)
    secrets = on_aws.profile_secrets
    assert access_problems(MANAGED.profile, secrets) == []
    with Stubber(client) as script:
        script.add_response("get_secret_value", {"SecretString": "old"}, {"SecretId": "club/api"})
        script.add_response("get_secret_value", {"SecretString": "new"}, {"SecretId": "club/api"})
        assert [secrets("secret:club/api") for _ in range(3)] == ["old"] * 3
        assert secrets.anew("secret:club/api", "old") == "new"
        assert secrets("secret:club/api") == "new"


def test_on_aws_a_function_may_name_variables_too(on_aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "t")
    assert on_aws.profile_secrets("env:API_TOKEN") == "t"
