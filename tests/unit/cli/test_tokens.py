from pathlib import Path

import jwt
import pytest

from memberships_export.bootstrap.identity import user_tokens
from memberships_export.service.user.callers import Caller, TokenVerifier
from memberships_export.settings import Settings, read_settings
from tests.unit.cli.conftest import Cli

WHO = ("--user-id", "user-1", "--email", "member@example.org")


def verified(settings: Settings, token: str) -> Caller:
    tokens = user_tokens(settings)
    assert isinstance(tokens, TokenVerifier)
    return tokens.verify(token)


def test_the_token_is_one_that_the_service_accepts(cli: Cli, tmp_path: Path) -> None:
    result = cli("token", *WHO, MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path))
    assert result.exit_code == 0
    caller = verified(Settings(data_dir=tmp_path), result.stdout.rstrip("\n"))
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
    caller = verified(read_settings(environ), result.stdout.rstrip("\n"))
    assert caller == Caller("user-1", "member@example.org", email_verified=True)
    assert "member_no" in jwt.decode(result.stdout.rstrip("\n"), options={"verify_signature": False})


def test_a_secret_made_just_now_is_told_because_the_service_must_have_the_same(cli: Cli, tmp_path: Path) -> None:
    environ = {"MEMBERSHIPS_EXPORT_DATA_DIR": str(tmp_path)}
    assert str(tmp_path) in cli("token", *WHO, **environ).stderr
    assert cli("token", *WHO, **environ).stderr == ""


@pytest.mark.parametrize(
    "known_by",
    [
        {"JWKS_URL": "https://id.example.org/jwks"},
        {
            "INTROSPECTION_URL": "https://id.example.org/introspect",
            "INTROSPECTION_CLIENT_ID": "us",
            "INTROSPECTION_CLIENT_SECRET": "secret",
        },
        {
            "ALB_ARN": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/x/0123456789abcdef",
            "JWT_AUDIENCE": "client",
        },
    ],
)
def test_with_an_identity_provider_tokens_are_not_made_here(cli: Cli, tmp_path: Path, known_by: dict[str, str]) -> None:
    environ = {f"MEMBERSHIPS_EXPORT_{name}": value for name, value in known_by.items()}
    result = cli("token", *WHO, MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path), **environ)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{next(iter(environ))} is set, so tokens come from your identity provider" in result.stderr


def test_the_token_has_the_address_that_is_mailed_to(cli: Cli, tmp_path: Path) -> None:
    environ = {"MEMBERSHIPS_EXPORT_DATA_DIR": str(tmp_path)}
    result = cli("token", "--user-id", "user-1", "--email", "anna@Bücher.example", **environ)
    assert verified(read_settings(environ), result.stdout.rstrip("\n")).email == "anna@xn--bcher-kva.example"


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
