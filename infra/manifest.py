"""What goes into a bundle, and what it says of itself: so that none is deployed that is stale or of another kind."""

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from json import dumps, loads
from pathlib import Path
from zipfile import BadZipFile, ZipFile

ROOT = Path(__file__).parents[1]
NAME = "bundle.json"
PACKAGE = "memberships_export"
# What translators edit and what a release is made from; functions read what is compiled of it.
_SOURCES = (".po", ".pot", ".typed")
# What a function never imports. The rest of the package needs neither a web framework nor cryptography.
LEFT_OUT_OF_PACKAGE = (
    "adapters/embedded",
    "adapters/mail/outbox.py",
    "adapters/mail/sendgrid/events.py",
    "bootstrap/metrics_page.py",
    "bootstrap/one_machine.py",
    "entrypoints/api",
    "entrypoints/cli",
    "entrypoints/worker.py",
    "shipped/profile.schema.json",
)
_BUILDER = (
    "infra/babel_data.py",
    "infra/botocore_data.py",
    "infra/bundle.py",
    "infra/compiled_methods.py",
    "infra/lighter_imports.py",
    "infra/manifest.py",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the bundle has to run on: Lambda's name of the processor, and the Python as 3.13."""

    arch: str
    python: str

    @property
    def is_this_python(self) -> bool:
        """Whether this process writes the byte code that the target reads."""
        return self.python == f"{sys.version_info.major}.{sys.version_info.minor}"


FUNCTIONS = Target(arch="arm64", python="3.13")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a bundle was built for and from. `source` and `lock` are SHA-256, in hexadecimal digits."""

    arch: str
    python: str
    byte_code: bool
    source: str
    lock: str

    def as_json(self) -> bytes:
        """Return the file that is put into the bundle."""
        return dumps(asdict(self), indent=1, sort_keys=True).encode()


def lock(root: Path = ROOT) -> Path:
    """Return the lock of the packages in the bundle."""
    return root / "requirements" / "lambda.txt"


def shipped(root: Path = ROOT) -> list[Path]:
    """Return the files of the service that go into a bundle."""
    package = root / "src" / PACKAGE
    left_out = [package / name for name in LEFT_OUT_OF_PACKAGE]

    def goes_in(path: Path) -> bool:
        kept = path.is_file() and path.suffix not in _SOURCES and "__pycache__" not in path.parts
        return kept and not any(path.is_relative_to(other) for other in left_out)

    return sorted(path for path in package.rglob("*") if goes_in(path))


def expected(target: Target, root: Path = ROOT) -> Manifest:
    """Return what a bundle says that is built now."""
    source = sha256()
    for path in [*shipped(root), *(root / name for name in _BUILDER)]:
        source.update(f"{path.relative_to(root).as_posix()}\0".encode() + sha256(path.read_bytes()).digest())
    return Manifest(
        arch=target.arch,
        python=target.python,
        byte_code=target.is_this_python,
        source=source.hexdigest(),
        lock=sha256(lock(root).read_bytes()).hexdigest(),
    )


def of(bundle: Path) -> Manifest | None:
    """Return what a bundle says of itself; None when it says nothing that can be understood."""
    try:
        with ZipFile(bundle) as archive:
            return Manifest(**loads(archive.read(NAME)))
    except (OSError, BadZipFile, KeyError, TypeError, ValueError):
        return None


def problems(bundle: Path, target: Target = FUNCTIONS, root: Path = ROOT) -> list[str]:
    """Return why the functions must not get this bundle, each with the command that mends it."""
    found = of(bundle)
    if found is None:
        return [f"{bundle} does not say what it was built from, so it is no bundle of this version: run `make lambda`."]
    now, built = expected(target, root), f"The bundle {bundle} was built"
    return [f"{built} {difference}: run `make lambda ARCH={target.arch}`." for difference in _differences(found, now)]


def _differences(found: Manifest, now: Manifest) -> Iterator[str]:
    if found.arch != now.arch:
        yield f"for {found.arch}, and the functions run on {now.arch}"
    if found.python != now.python:
        yield f"for Python {found.python}, and the functions run with {now.python}"
    if found.source != now.source:
        yield f"from another source than that in src/{PACKAGE} (or by another infra/bundle.py)"
    if found.lock != now.lock:
        yield "from other packages than those in requirements/lambda.txt"
