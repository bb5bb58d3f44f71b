"""The package as others install it: built offline, installed away from the checkout, complete."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from zipfile import ZipFile

import pytest

from rig.waiting import PATIENCE_SECONDS
from tests.e2e.command_line import environ_of

ROOT = Path(__file__).parents[2]
BUILT = ("src", "pyproject.toml", "README.md", "LICENSE")
MADE_BY_TOOLS = shutil.ignore_patterns("__pycache__", "*.egg-info")


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it from a copy: the build backend leaves folders beside what it builds."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in BUILT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=MADE_BY_TOOLS)
        else:
            shutil.copy(source, folder / name)
    pip("wheel", str(folder), "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(folder / "dist"))
    (built,) = (folder / "dist").glob("*.whl")
    return built


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(wheel: Path) -> None:
    files = [path for path in (ROOT / "src").rglob("*") if path.is_file()]
    ours = {str(path.relative_to(ROOT / "src")) for path in files if not {"__pycache__"} & set(path.parts)}
    ours = {name for name in ours if ".egg-info/" not in name and not name.endswith(".po")}  # compiled ones do
    packed = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert ours - packed == set(), "pyproject.toml, [tool.setuptools.package-data]: name these endings"
    assert packed - ours == set()
    assert any(name.endswith(".sql") for name in packed)


def test_the_demo_runs_from_the_wheel_in_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    pip("--python", str(venv / "bin" / "python"), "install", "--no-index", "--no-deps", str(wheel))
    (site,) = venv.glob("lib/python*/site-packages")
    # The dependencies come from here, our own package does not: a .pth inside a folder named by a .pth is not read.
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")

    environ = environ_of(tmp_path / "data") | {"TMPDIR": str(tmp_path), "PATH": os.defpath}
    environ.pop("PYTHONPATH", None)
    where = [str(venv / "bin" / "python"), "-c", "import memberships_export; print(memberships_export.__file__)"]
    found = subprocess.run(where, env=environ, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert Path(found.stdout).is_relative_to(venv)

    command = [str(venv / "bin" / "memberships-export"), "demo", "--rows", "3"]
    demo = subprocess.run(
        command, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert demo.returncode == 0, demo.stderr
    assert "Rows     3" in demo.stdout
