"""The code of the functions, built for this machine by the same program as for Lambda."""

from pathlib import Path
from typing import Final
from zipfile import ZipFile

from infra import bundle

EXPORT: Final = "memberships_export.entrypoints.aws_lambda.export.handler"
SWEEP: Final = "memberships_export.entrypoints.aws_lambda.sweep.handler"


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
