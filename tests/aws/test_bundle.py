"""The zip of the functions: small, reproducible, and enough to run with nothing else on the path."""

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from infra.bundle import build, fill, this_machine, write_zip

SETTINGS = {
    "BACKEND": "aws",
    "TABLE": "exports",
    "BUCKET": "files",
    "QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/000000000000/membership_exports",
    "MEMBERSHIPS_URL": "https://api.example.org",
    "SERVICE_SECRET": "s" * 40,
    "MAILER": "sendgrid",
    "SENDGRID_API_KEY": "SG.not-a-real-key",
}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    fill(folder, this_machine())
    return folder


def start(unpacked: Path, handler: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Import a handler as Lambda does, in a Python that sees the standard library and the bundle alone."""
    told = {f"MEMBERSHIPS_EXPORT_{name}": value for name, value in settings.items()}
    aws = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    code = (
        f"import sys; sys.path.append({str(unpacked)!r}); import memberships_export.entrypoints.{handler} as entry; "
        "print(callable(entry.handler), sorted({'fastapi', 'typer', 'rich', 'uvicorn', 'sqlite3'} & set(sys.modules)))"
    )
    command = [sys.executable, "-I", "-S", "-c", code]
    environ = {"PATH": os.environ["PATH"], **aws, **told}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("handler", ["lambda_export", "lambda_sweep"])
def test_the_functions_start_from_the_bundle_alone(unpacked: Path, handler: str) -> None:
    result = start(unpacked, handler, SETTINGS)
    assert result.stdout.strip() == "True []", result.stderr


def test_a_missing_setting_stops_the_function_at_its_start_with_the_name(unpacked: Path) -> None:
    result = start(unpacked, "lambda_export", {name: value for name, value in SETTINGS.items() if name != "TABLE"})
    assert result.returncode != 0
    assert "MEMBERSHIPS_EXPORT_TABLE is not set" in result.stderr


def test_the_bundle_holds_no_web_framework_command_line_or_tests(unpacked: Path) -> None:
    names = {path.name for path in unpacked.iterdir()}
    assert not names & {"fastapi", "starlette", "pydantic", "uvicorn", "typer", "rich", "cryptography", "tests", "moto"}
    package = unpacked / "memberships_export"
    assert not (package / "entrypoints" / "cli").exists()
    assert not (package / "entrypoints" / "api").exists()


def test_the_same_content_is_the_same_zip_and_small_enough(unpacked: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    write_zip(unpacked, first)
    write_zip(unpacked, second)
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size < 25 * 1024 * 1024


def test_building_twice_gives_the_same_bytes(unpacked: Path, tmp_path: Path) -> None:
    build(this_machine(), tmp_path / "again.zip")
    write_zip(unpacked, tmp_path / "first.zip")
    with ZipFile(tmp_path / "again.zip") as again, ZipFile(tmp_path / "first.zip") as first:
        assert again.namelist() == first.namelist()
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "first.zip").read_bytes()
