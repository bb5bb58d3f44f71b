"""The one place that chooses the backend."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from memberships_export.adapters.aws.dynamodb_store import DynamoDbExportStore
from memberships_export.adapters.embedded.folder import Folder
from memberships_export.adapters.embedded.machine import living
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.bootstrap.alerts import raise_alerts
from memberships_export.bootstrap.aws import function_services, worker_problems
from memberships_export.bootstrap.backend import check_storage, connect, operator_desk
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.export.record import Stage
from memberships_export.settings import Settings, SettingsError
from tests.fakes.broken_disk import files_end_at, not_allowed

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

    assert function_services(by_another, os.environ)
    assert (told(Stage.FETCH), told(Stage.RENDER)) == (True, False)


@pytest.mark.parametrize("name", ["files", "outbox"])
def test_a_service_that_cannot_write_files_or_mails_is_not_ready(tmp_path: Path, name: str) -> None:
    settings = Settings(data_dir=tmp_path)
    ports = connect(settings, None)
    check_storage(settings, ports)
    assert [path.name for path in (tmp_path / name).iterdir()] == []
    (tmp_path / name).rmdir()
    (tmp_path / name).touch()
    with pytest.raises(StorageUnavailable, match=f"{name}/check cannot be used.*a file stands where"):
        check_storage(settings, ports)
    (tmp_path / name).unlink()
    check_storage(settings, ports)


def test_a_folder_that_takes_no_file_does_not_pass_the_check(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "files")
    folder.check()
    with not_allowed(tmp_path / "files"), pytest.raises(StorageUnavailable, match="write permission"):
        folder.check()


def test_where_no_file_has_room_the_service_is_not_ready(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "files")
    with files_end_at(1024), pytest.raises(StorageUnavailable, match="file size limit"):
        folder.check()
    folder.check()
    assert list((tmp_path / "files").iterdir()) == []


@pytest.mark.parametrize(
    "given, named",
    [({"alert_command": "/nonexistent/wake --loud"}, "/nonexistent/wake"), ({"alert_url": "http://example.org/x"}, "")],
)
def test_an_alarm_that_cannot_work_is_refused_at_the_start(tmp_path: Path, given: dict[str, str], named: str) -> None:
    settings = Settings(data_dir=tmp_path, **given)  # type: ignore[arg-type]
    ports = connect(settings, None)
    with pytest.raises(ValueError, match="MEMBERSHIPS_EXPORT_ALERT_") as caught:
        raise_alerts(settings, ports, ports.store.check, tuple, lambda: False)
    assert named in str(caught.value)
    assert "example.org" not in str(caught.value)


def test_no_worker_is_alive_until_one_has_started(tmp_path: Path) -> None:
    ports = connect(Settings(data_dir=tmp_path), None)
    assert not living(tmp_path / "processes")
    assert ports.machine is not None
    ports.machine.me()
    assert living(tmp_path / "processes")
