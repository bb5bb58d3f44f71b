from pathlib import Path

import jwt
import pytest

from memberships_export.bootstrap.identity import user_tokens
from memberships_export.service.user.callers import Caller
from memberships_export.settings import Settings, read_settings
from tests.unit.cli.conftest import Cli

WHO = ("--user-id", "user-1", "--email", "member@example.org")


def test_the_token_is_one_that_the_service_accepts(cli: Cli, tmp_path: Path) -> None:
    result = cli("token", *WHO, MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path))
    assert result.exit_code == 0
    caller = user_tokens(Settings(data_dir=tmp_path)).verify(result.stdout.rstrip("\n"))
    assert caller == Caller("user-1", "member@example.org", email_verified=True)


def test_the_token_names_user_and_address_in_the_claims_that_are_set(cli: Cli, tmp_path: Path) -> None:
    environ = {
        "MEMBERSHIPS_EXPORT_DATA_DIR": str(tmp_path),
        "MEMBERSHIPS_EXPORT_JWT_AUDIENCE": "app, memberships",
        "MEMBERSHIPS_EXPORT_JWT_ISSUER": "https://id.example.org",
        "MEMBERSHIPS_EXPORT_JWT_USER_CLAIM": "member_no",
        "MEMBERSHIPS_EXPORT_JWT_EMAIL_CLAIM": "upn",
    }
    result = cli("token", *WHO, **environ)
    caller = user_tokens(read_settings(environ)).verify(result.stdout.rstrip("\n"))
    assert caller == Caller("user-1", "member@example.org", email_verified=True)
    assert "member_no" in jwt.decode(result.stdout.rstrip("\n"), options={"verify_signature": False})


def test_a_secret_made_just_now_is_told_because_the_service_must_have_the_same(cli: Cli, tmp_path: Path) -> None:
    environ = {"MEMBERSHIPS_EXPORT_DATA_DIR": str(tmp_path)}
    assert str(tmp_path) in cli("token", *WHO, **environ).stderr
    assert cli("token", *WHO, **environ).stderr == ""


def test_with_an_identity_provider_tokens_are_not_made_here(cli: Cli, tmp_path: Path) -> None:
    environ = {
        "MEMBERSHIPS_EXPORT_JWKS_URL": "https://id.example.org/jwks",
        "MEMBERSHIPS_EXPORT_DATA_DIR": str(tmp_path),
    }
    result = cli("token", *WHO, **environ)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "MEMBERSHIPS_EXPORT_JWKS_URL" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--user-id", " ", "--email", "a@example.org"),
        ("--user-id", "u", "--email", "a@b@c"),
        (*WHO, "--hours", "0"),
        ("--user-id", "u"),
    ],
)
def test_wrong_arguments_are_wrong_usage(cli: Cli, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = cli("token", *arguments, MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path))
    assert (result.exit_code, result.stdout) == (2, "")


def test_every_wrong_setting_is_named_on_a_line_of_its_own(cli: Cli) -> None:
    result = cli("token", *WHO, MEMBERSHIPS_EXPORT_WORKERS="0", MEMBERSHIPS_EXPORT_PORT="x")
    assert result.exit_code == 2
    assert [line.split()[0] for line in result.stderr.splitlines()] == [
        "MEMBERSHIPS_EXPORT_PORT",
        "MEMBERSHIPS_EXPORT_WORKERS",
    ]


@pytest.mark.parametrize("user_id", ["", "  ", "a" * 256, "a\tb", "\udcc3\udcbc"])
def test_an_id_that_the_service_would_not_take_is_refused(cli: Cli, tmp_path: Path, user_id: str) -> None:
    environ = {"MEMBERSHIPS_EXPORT_DATA_DIR": str(tmp_path)}
    result = cli("token", "--user-id", user_id, "--email", "a@example.org", **environ)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--user-id" in result.stderr
