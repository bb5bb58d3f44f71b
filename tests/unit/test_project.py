import json
import os
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from rig.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
EXTRAS = {"runtime": (), "aws": ("aws",), "dev": ("aws", "dev"), "container": ("aws", "postgres")}
LOCKS = (*EXTRAS, "bench", "lambda", "mutants")
NPM_LOCKS = ("infra", "rig")
PIN = re.compile(r"(?P<name>[\w.-]+)==(?P<version>\S+)(?P<marker> ; .+?)? \\")


def lock_text(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text()


def entries(lock: str) -> list[str]:
    return re.split(r"\n(?=[^\s#])", re.sub(r"\A(#.*\n)+", "", lock))


def pins(lock: str) -> dict[str, set[tuple[Version, str]]]:
    found: dict[str, set[tuple[Version, str]]] = {}
    for entry in entries(lock):
        match = PIN.match(entry)
        assert match, f"not pinned to one version: {entry.splitlines()[0]}"
        pin = (Version(match["version"]), match["marker"] or "")
        found.setdefault(canonicalize_name(match["name"]), set()).add(pin)
    return found


def stale(requirements: list[str], lock: str) -> list[str]:
    """Return the requirements that the lock does not satisfy."""
    locked = pins(lock)
    wanted = [Requirement(text) for text in requirements]
    return [
        str(need)
        for need in wanted
        if not any(version in need.specifier for version, _ in locked.get(canonicalize_name(need.name), ()))
    ]


def declared(lock: str) -> list[str]:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project, groups = pyproject["project"], pyproject["dependency-groups"]
    if lock in groups:
        return list(groups[lock])
    needs: list[str] = [*project["dependencies"], *groups["build"]]
    return [*needs, *(need for extra in EXTRAS[lock] for need in project["optional-dependencies"][extra])]


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_carries_a_hash(name: str) -> None:
    bare = [entry.splitlines()[0] for entry in entries(lock_text(name)) if "--hash=sha256:" not in entry]

    assert bare == []


@pytest.mark.parametrize("name", LOCKS)
def test_locks_name_no_registry_and_no_folder_of_the_machine_that_made_them(name: str) -> None:
    text = lock_text(name)

    assert [line for line in text.splitlines() if re.search(r"://|index-url|find-links|\s/|file:", line)] == []


@pytest.mark.parametrize("name", LOCKS)
def test_locks_satisfy_what_pyproject_asks_for(name: str) -> None:
    missing = stale(declared(name), lock_text(name))

    assert missing == [], f"requirements/{name}.txt is older than pyproject.toml; run: make lock"


def test_the_build_backend_that_is_asked_for_is_the_locked_one() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert pyproject["build-system"]["requires"] == pyproject["dependency-groups"]["build"]


@pytest.mark.parametrize("name", [name for name in LOCKS if name not in {"bench", "dev", "mutants"}])
def test_tests_run_with_exactly_the_packages_that_are_shipped(name: str) -> None:
    shipped, tested = pins(lock_text(name)), pins(lock_text("dev"))
    other_versions = [name for name in shipped if {v for v, _ in shipped[name]} != {v for v, _ in tested.get(name, ())}]

    assert other_versions == [], "the two lock files differ; run: make lock"


@pytest.mark.parametrize("name", ["bench", "mutants"])
def test_mutants_and_rivals_meet_the_same_packages_as_tests(name: str) -> None:
    added, tested = (
        {name: {version for version, _ in found} for name, found in pins(lock_text(lock)).items()}
        for lock in (name, "dev")
    )

    assert [name for name in added.keys() & tested.keys() if added[name] != tested[name]] == []


def test_a_requirement_newer_than_the_lock_or_missing_from_it_is_stale() -> None:
    lock = "fast_api==1.2.0 ; sys_platform != 'win32' \\\n    --hash=sha256:00\n    # via project\n"

    assert stale(["fast-api>=1", "fast-api>=2", "other"], lock) == ["fast-api>=2", "other"]


@pytest.mark.parametrize("folder", NPM_LOCKS)
def test_every_package_that_npm_installs_carries_a_hash_and_names_no_registry(folder: str) -> None:
    lock = (ROOT / folder / "package-lock.json").read_text()
    packages = {name: found for name, found in json.loads(lock)["packages"].items() if name}

    assert packages
    assert [name for name, found in packages.items() if not found.get("integrity", "").startswith("sha512-")] == []
    assert [name for name, found in packages.items() if "resolved" in found] == []


@pytest.mark.parametrize("folder", NPM_LOCKS)
def test_what_npm_installs_is_pinned_and_locked_as_asked_for(folder: str) -> None:
    asked = json.loads((ROOT / folder / "package.json").read_text())["devDependencies"]
    locked = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]

    assert [version for version in asked.values() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
    assert {name: locked[f"node_modules/{name}"]["version"] for name in asked} == asked, "older; run: make lock"


def test_every_make_target_has_a_help_line() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)

    assert phony, "Makefile has no .PHONY line"
    assert set(re.findall(r"^([a-z-]+):.* ## \S", makefile, re.MULTILINE)) == targets
    assert set(phony[1].split()) == targets


def test_a_test_that_connects_to_another_machine_fails() -> None:
    with socket.socket() as client, pytest.raises(pytest.fail.Exception, match="tests stay on loopback"):
        client.connect(("192.0.2.1", 9))


def test_a_test_that_looks_up_the_name_of_another_machine_fails() -> None:
    with pytest.raises(pytest.fail.Exception, match="tests stay on loopback"):
        socket.getaddrinfo("nobody.invalid", 9)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_test_may_connect_to_its_own_machine(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        with socket.create_connection((host, port), timeout=PATIENCE_SECONDS) as client:
            assert client.getpeername() == ("127.0.0.1", port)


# --- The verbs --------------------------------------------------------------------------------------------------------


def recipe(*words: str) -> str:
    """Return what make would run. What the make around this test was told stays out."""
    quiet = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "ARGS"}}
    command = ["make", "--dry-run", *words]
    return subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, check=True).stdout


def test_the_rules_are_held_to_their_coverage_and_all_other_tests_run_without() -> None:
    rules, others = (line for line in recipe("test").splitlines() if "pytest" in line)

    assert rules.endswith(
        "tests/unit/domain tests/unit/service --cov=memberships_export.domain --cov=memberships_export.service "
        "--cov-fail-under=95"
    )
    assert others.endswith("pytest -n 3 --dist loadfile tests --ignore tests/unit/domain --ignore tests/unit/service")


def test_some_tests_cover_some_of_the_code_and_are_held_to_nothing() -> None:
    (line,) = (line for line in recipe("test", "ARGS=tests/unit/domain").splitlines() if "pytest" in line)

    assert line.endswith("pytest -n 3 --dist loadfile tests/unit/domain")


def test_what_every_test_loads_is_without_a_simulated_aws() -> None:
    ask = "import sys, tests.conftest; print({'boto3', 'botocore', 'moto', 'werkzeug'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "set()"


def test_the_quick_tests_use_no_simulated_aws() -> None:
    quick = recipe("unit").partition("pytest -n 3 --dist loadfile ")[2].replace("'", "").split()
    slower = ["--ignore", "tests/unit/adapters", "--ignore", "tests/unit/memberships_api"]
    assert quick == ["tests/unit", *slower, "-m", "not", "office"]
    aws = re.compile(r"^(from|import) (rig\.aws|moto|aws_cdk)", re.MULTILINE)
    files = [path for path in ROOT.glob("tests/unit/**/*.py") if ROOT / "tests/unit/adapters" not in path.parents]

    assert [path.name for path in files if aws.search(path.read_text())] == []
