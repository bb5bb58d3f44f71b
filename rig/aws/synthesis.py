"""The template, written by the command a person uses."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile, ZipInfo

from infra import manifest

_ROOT = Path(__file__).parents[2]


def stand_in_bundle(folder: Path) -> Path:
    """Write what can be deployed in place of the functions' code: it says that it is that, and holds nothing."""
    bundle = folder / "stand-in.zip"
    with ZipFile(bundle, "w") as archive:
        archive.writestr(ZipInfo(manifest.NAME), manifest.expected(manifest.FUNCTIONS).as_json())
    return bundle


def run_app(output: Path, bundle: Path, parameters: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Start the app as `make synth` does, on a machine where no node is installed."""
    given = {"bundle": str(bundle), "imageTag": "2026-11-24", **parameters}
    context = [f"--context={name}={value}" for name, value in given.items()]
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "infra.app", "--output", str(output), *context],
        cwd=_ROOT,
        env={"PATH": "/nonexistent", "HOME": str(Path.home())},  # the CDK unpacks itself there once, not each time
        capture_output=True,
        text=True,
        check=False,
    )
