"""The template, written by the command a person uses."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def run_app(output: Path, bundle: Path, parameters: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Start the app as `make synth` does, on a machine where no node is installed."""
    context = [f"--context={name}={value}" for name, value in {"bundle": str(bundle), **parameters}.items()]
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "infra.app", "--output", str(output), *context],
        cwd=_ROOT,
        env={"PATH": "/nonexistent", "HOME": str(Path.home())},  # the CDK unpacks itself there once, not each time
        capture_output=True,
        text=True,
        check=False,
    )
