"""Builds the code of the Lambda functions: one zip, with the same bytes whenever it is made from the same source."""

import argparse
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from infra import babel_data, botocore_data, lighter_imports, manifest
from infra.compiled_methods import compile_methods
from infra.manifest import FUNCTIONS, ROOT, Target
from memberships_export.adapters.texts.mail_templates import COMPILED, compile_into

# Lambda's names, and those of the wheels.
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
# Of the C library: Lambda's Pythons from 3.12 on run on Amazon Linux 2023, which has 2.34. pip takes each tag by name.
_GLIBC = range(17, 35)

_LEFT_OUT = ("bin", "**/*.c", "**/*.pyi", "**/py.typed", "**/__pycache__")  # of the packages: commands, sources, stubs
_METADATA = "METADATA"  # all that is kept of a .dist-info: vulnerability scanners of functions read it

_OLDEST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_FILE_MODE = 0o100644 << 16  # a regular file that everybody may read: Lambda runs as a user of its own


def platforms_of(target: Target) -> list[str]:
    """Return the tags of wheels that run there."""
    machine = _MACHINES[target.arch]
    return [f"manylinux2014_{machine}", *(f"manylinux_2_{minor}_{machine}" for minor in _GLIBC)]


def this_machine() -> Target:
    """Return the target that can be run here."""
    arch = next((name for name, machine in _MACHINES.items() if machine == platform.machine()), None)
    if arch is None:
        raise SystemExit(f"This machine is {platform.machine()}, and Lambda runs on {' or '.join(_MACHINES)} only.")
    return Target(arch=arch, python=f"{sys.version_info.major}.{sys.version_info.minor}")


def build(target: Target, output: Path) -> None:
    """Write the zip."""
    with TemporaryDirectory() as folder:
        content = Path(folder)
        fill(content, target)
        output.parent.mkdir(parents=True, exist_ok=True)
        write_zip(content, output)


def fill(folder: Path, target: Target) -> None:
    """Put into the folder what the functions run with, and nothing else."""
    _install(folder, target)
    _prune(folder)
    _copy_package(folder)
    compile_into(folder / manifest.PACKAGE / "mail" / COMPILED)
    if target.is_this_python:
        compile_methods(folder)
        _compile(folder)
    (folder / manifest.NAME).write_bytes(manifest.expected(target).as_json())


def write_zip(folder: Path, output: Path) -> None:
    """Zip the folder so that nothing but names and contents shows in the bytes."""
    with ZipFile(output, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = file_entry(path.relative_to(folder).as_posix())
            archive.writestr(entry, path.read_bytes(), compresslevel=9)


def file_entry(name: str) -> ZipInfo:
    """Describe a file in a zip by nothing but its name."""
    entry = ZipInfo(name, _OLDEST_ZIP_TIME)
    entry.compress_type = ZIP_DEFLATED
    entry.create_system = 3  # Unix, also when it is made elsewhere
    entry.external_attr = _FILE_MODE
    return entry


def _install(folder: Path, target: Target) -> None:
    """Unpack wheels only: nothing is compiled, so that any machine can make the bundle of any other."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    platforms = [f"--platform={tag}" for tag in platforms_of(target)]
    chosen = [*platforms, f"--python-version={target.python}", "--implementation=cp", "--only-binary=:all:"]
    locked = ["--no-deps", "--require-hashes", f"--requirement={manifest.lock()}", f"--target={folder}"]
    subprocess.run([*pip, *chosen, *locked], check=True)  # noqa: S603  (pip, with arguments made above)


def _prune(folder: Path) -> None:
    data = folder / "botocore" / "data"
    metadata = (path for path in folder.glob("*.dist-info/*") if path.name != _METADATA)
    matches = (path for pattern in _LEFT_OUT for path in folder.glob(pattern))
    _remove([*metadata, *matches])
    _remove([*babel_data.unneeded(folder / "babel"), *botocore_data.unneeded(data)])
    botocore_data.slim(data)
    lighter_imports.lighten(folder)


def _copy_package(folder: Path) -> None:
    for path in manifest.shipped():
        copy = folder / path.relative_to(ROOT / "src")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)  # it went with its folder


def _compile(folder: Path) -> None:
    """Write byte code that is not compared with its source: no time stamps in it, and no look at the source at start.

    A function cannot keep byte code itself: its folder is read-only, so each cold start would compile everything.
    """
    # A fresh process: byte code can differ with what the compiling process has in memory.
    compiler = [sys.executable, "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    places = ["-s", str(folder), "-p", "/var/task", str(folder)]
    subprocess.run([*compiler, *places], check=True)  # noqa: S603  (the standard library, on our own folder)


def main() -> None:
    """Build from the command line, unless it is there already."""
    parser = argparse.ArgumentParser(prog="python -m infra.bundle", description=__doc__)
    parser.add_argument("--arch", choices=tuple(_MACHINES), default=FUNCTIONS.arch, help="processor of the functions")
    target = replace(FUNCTIONS, arch=parser.parse_args().arch)
    output = bundle_of(target)
    if manifest.of(output) != manifest.expected(target):
        build(target, output)
    kind = "with byte code" if target.is_this_python else f"source only: byte code needs Python {target.python} here"
    place, size = output.relative_to(ROOT), output.stat().st_size / 1e6
    sys.stdout.write(f"{place}: {size:.1f} MB, {target.arch}, Python {target.python}, {kind}\n")


def bundle_of(target: Target) -> Path:
    """Return where the command line puts the bundle: one file for each processor."""
    return ROOT / "dist" / f"ExportMemberships-{target.arch}.zip"


if __name__ == "__main__":
    main()
