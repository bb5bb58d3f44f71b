"""The one place that chooses the backend."""

from dataclasses import replace
from pathlib import Path

import pytest

from memberships_export.adapters.aws.dynamodb_store import DynamoDbExportStore
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.bootstrap.aws import function_services, worker_problems
from memberships_export.bootstrap.backend import connect, operator_desk
from memberships_export.domain.export.record import Stage
from memberships_export.settings import Settings, SettingsError

AWS = Settings(backend="aws", table="t", bucket="b", queue_url="https://sqs.example.org/1/q")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")  # else the client looks for a role, on another machine
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    return AWS


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


def test_the_settings_choose_the_backend(settings: Settings, aws: Settings) -> None:
    assert isinstance(connect(settings, None).store, SqliteExportStore)
    assert isinstance(connect(aws, None).store, DynamoDbExportStore)


def test_a_process_without_a_memberships_url_has_nothing_to_fetch_from(settings: Settings) -> None:
    assert connect(settings, None).source is None
    assert connect(settings, "http://127.0.0.1").source is not None


def test_aws_without_a_region_is_refused_by_the_name_of_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")

    with pytest.raises(SettingsError, match="AWS_DEFAULT_REGION is not set"):
        connect(AWS, None)


def test_who_only_looks_at_dead_letters_makes_no_secrets(settings: Settings) -> None:
    assert operator_desk(settings).letters() == []
    assert not (settings.data_dir / "secrets").exists()


def test_a_function_that_fetches_nothing_needs_no_secret_of_a_profile(aws: Settings) -> None:
    by_another = replace(aws, profile="stripe")

    def told(stage: Stage) -> bool:
        problems = worker_problems(replace(by_another, stages=frozenset({stage})))
        return any("PROFILE" in text for text, _ in problems)

    assert function_services(by_another)
    assert (told(Stage.FETCH), told(Stage.RENDER)) == (True, False)
