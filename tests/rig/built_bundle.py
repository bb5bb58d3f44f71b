"""The code of the functions, built for this machine by the same program as for Lambda."""

from pathlib import Path
from typing import Final
from zipfile import ZipFile

from infra import bundle

EXPORT: Final = "memberships_export.entrypoints.lambda_export.handler"
SWEEP: Final = "memberships_export.entrypoints.lambda_sweep.handler"


def build_here(folder: Path) -> Path:
    """Build the zip. The packages come from the registry that pip is configured with, or from its cache."""
    output = folder / "ExportMemberships.zip"
    bundle.build(bundle.this_machine(), output)
    return output


def unpack(zip_file: Path, folder: Path) -> Path:
    """Unpack as Lambda does, and return the folder."""
    with ZipFile(zip_file) as archive:
        archive.extractall(folder)
    return folder


def aws_environment(table: str, bucket: str, queue_url: str, aws_url: str) -> dict[str, str]:
    """Return the variables of a function, with AWS on loopback."""
    return {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_ENDPOINT_URL": aws_url,
        "AWS_ALLOW_HTTP": "true",
        "MEMBERSHIPS_EXPORT_BACKEND": "aws",
        "MEMBERSHIPS_EXPORT_TABLE": table,
        "MEMBERSHIPS_EXPORT_BUCKET": bucket,
        "MEMBERSHIPS_EXPORT_QUEUE_URL": queue_url,
        "MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL": "http://127.0.0.1:9",
        "MEMBERSHIPS_EXPORT_PUBLIC_URL": "http://127.0.0.1:9",
        "MEMBERSHIPS_EXPORT_SERVICE_SECRET": "invented-for-tests-and-long-enough",
        "MEMBERSHIPS_EXPORT_MAILER": "sendgrid",
        "MEMBERSHIPS_EXPORT_SENDGRID_API_KEY": "invented",
        "MEMBERSHIPS_EXPORT_SENDGRID_URL": "http://127.0.0.1:9",
    }
