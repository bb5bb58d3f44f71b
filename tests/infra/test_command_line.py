"""The CDK's own command line, as it is pinned: it starts the app of cdk.json in its own folder."""

import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from infra.node import CDK, node
from tests.infra.synthesis import ROOT, Synthesiser, read


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project's folder in which nothing was ever synthesised."""
    assert CDK.exists(), "the CDK's command line is not installed: run make install-infra"
    copytree(ROOT / "infra", tmp_path / "infra", ignore=ignore_patterns("node_modules", "cdk.out", "__pycache__"))
    (tmp_path / ".venv").symlink_to(sys.prefix)
    for name in ("src", "requirements"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def synthesise(project: Path, **context: str) -> subprocess.CompletedProcess[str]:
    """Run `cdk synth` with nothing in the CDK's caches and nobody to reach: no registry, no notices, no AWS."""
    nobody = "http://127.0.0.1:9"
    environ = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(project),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": "eu-central-1",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "HTTP_PROXY": nobody,
        "HTTPS_PROXY": nobody,
    }
    given = [f"--context={name}={value}" for name, value in context.items()]
    return subprocess.run(
        [node(), CDK, "synth", "--quiet", "--no-notices", *given],
        cwd=project / "infra",
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_synthesis_that_the_cdk_calls_slow_is_written_where_its_command_line_looks(
    project: Path, synth: Synthesiser
) -> None:
    # What takes longer than so many milliseconds is reported in a file that the command line names relative to its
    # own folder; 10,000 by default.
    done = synthesise(
        project, bundle=str(synth.bundle), imageTag="2026-11-24", **{"@aws-cdk/core.slowSynthThreshold": "0"}
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert read(project / "infra" / "cdk.out" / "performance-counters.json")["counters"]
    assert read(project / "infra" / "cdk.out" / "MembershipsExport.template.json")["Resources"]
    assert not (project / "cdk.out").exists()
