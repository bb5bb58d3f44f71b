"""The profile that is set is read at start, or the process does not start."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from memberships_export.adapters.source.profile_file import shipped_text
from memberships_export.bootstrap import backend, parts
from memberships_export.bootstrap.aws import function_services
from memberships_export.domain.export.record import Stage
from memberships_export.domain.source.profile_file.secrets import secrets_named
from memberships_export.entrypoints.aws_lambda.functions import export_function
from memberships_export.entrypoints.cli.exits import ExitCode
from memberships_export.entrypoints.cli.main import make_app
from memberships_export.settings import Settings, SettingsError, read_settings

WRONG = shipped_text("memberships").replace("version = 1", "version = 2").replace("order =", "odrer =")
ELSEWHERE = "https://api.example.org"


def aws_environ(profile: str, **more: str) -> dict[str, str]:
    names = {
        "MEMBERSHIPS_URL": ELSEWHERE,
        "BACKEND": "aws",
        "TABLE": "t",
        "BUCKET": "b",
        "QUEUE_URL": "https://sqs.example.org/1/q",
        "SERVICE_SECRET_ID": "s",
        "LINK_SECRET_ID": "l",
        "AUDIT_SECRET_ID": "a",
    }
    environ = {**names, "PROFILE": profile, **more}
    return {f"MEMBERSHIPS_EXPORT_{name}": value for name, value in environ.items()}


def aws(profile: str, **more: str) -> Settings:
    return read_settings(aws_environ(profile, **more))


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")  # else the client looks for a role, on another machine
    monkeypatch.delenv("STRIPE_API_KEY", raising=False)


def test_without_a_setting_it_is_our_own_contract() -> None:
    assert parts.profile(Settings()).name == "memberships"


def test_all_that_is_wrong_with_it_is_told_at_once_with_the_name_of_the_setting(tmp_path: Path) -> None:
    path = tmp_path / "club.toml"
    path.write_text(WRONG)

    with pytest.raises(SettingsError) as refused:
        parts.profile(Settings(profile=str(path)))

    assert len(refused.value.problems) == 2
    assert all(problem.startswith(f"MEMBERSHIPS_EXPORT_PROFILE {path}: ") for problem in refused.value.problems)


def test_a_profile_of_another_api_needs_the_url_of_that_api() -> None:
    with pytest.raises(SettingsError, match=r"MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL is not set, but .*PROFILE is stripe"):
        read_settings({"MEMBERSHIPS_EXPORT_PROFILE": "stripe"})
    assert read_settings({"MEMBERSHIPS_EXPORT_PROFILE": "./club.toml"}).profile == "./club.toml"


def test_a_secret_that_it_names_must_be_there_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(profile="stripe", memberships_url=ELSEWHERE)
    (reference,) = secrets_named(parts.profile(settings).profile)
    variable = reference.removeprefix("env:")
    monkeypatch.delenv(variable, raising=False)

    with pytest.raises(SettingsError, match=f"MEMBERSHIPS_EXPORT_PROFILE stripe: {reference} .*{variable}"):
        backend.usable_profile(settings)
    monkeypatch.setenv(variable, "a-key")
    assert backend.usable_profile(settings).name == "stripe"


def test_the_service_does_not_start_with_a_profile_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "club.toml"
    path.write_text(WRONG)
    environ = {"MEMBERSHIPS_EXPORT_PROFILE": str(path), "MEMBERSHIPS_EXPORT_DATA_DIR": str(tmp_path / "data")}

    for command in ("serve", "worker"):
        result = CliRunner().invoke(make_app(), [command], env=environ)

        assert result.exit_code == ExitCode.USAGE
        assert "version (line " in result.stderr
        assert "did you mean order?" in result.stderr
    assert not (tmp_path / "data").exists()


def test_a_function_that_fetches_refuses_to_start_with_a_wrong_profile_too() -> None:
    with pytest.raises(
        SettingsError, match=r"MEMBERSHIPS_EXPORT_PROFILE strip: no such profile .* did you mean stripe\?"
    ):
        export_function(aws_environ("strip", STAGES="fetch"))
    with pytest.raises(SettingsError, match="MEMBERSHIPS_EXPORT_PROFILE stripe: env:"):
        export_function(aws_environ("stripe", STAGES="fetch"))


def test_a_function_that_fetches_nothing_needs_no_secret_of_the_profile() -> None:
    settings = aws("stripe", STAGES="render")

    assert settings.stages == frozenset({Stage.RENDER})
    assert function_services(settings, os.environ)


def test_a_function_that_fetches_says_at_its_start_by_which_profile(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", "a-key")
    names = {
        "BACKEND": "aws",
        "PROFILE": "stripe",
        "MEMBERSHIPS_URL": ELSEWHERE,
        "TABLE": "t",
        "BUCKET": "b",
        "QUEUE_URL": "https://sqs.example.org/1/q",
        "SERVICE_SECRET_ID": "s",
        "LINK_SECRET_ID": "l",
        "AUDIT_SECRET_ID": "a",
    }
    environ = {f"MEMBERSHIPS_EXPORT_{name}": value for name, value in names.items()}
    with caplog.at_level("INFO", logger="memberships_export"):
        export_function({**environ, "MEMBERSHIPS_EXPORT_STAGES": "fetch"})
        export_function({**environ, "MEMBERSHIPS_EXPORT_STAGES": "render"})

    (line,) = [message for message in caplog.messages if "event=profile" in message]
    assert line.startswith("name=stripe sha256=")
    assert line.endswith(" columns=10 paginator=last_key proof=ended,checked event=profile")
