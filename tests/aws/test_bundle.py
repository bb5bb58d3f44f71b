"""The code of the Lambda functions: what is in it, and that it runs alone."""

import os
import re
import struct
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest
from botocore import xform_name
from botocore.session import Session

from infra import botocore_data, bundle, manifest
from infra.manifest import FUNCTIONS
from memberships_export.domain.export.record import ExportStatus
from rig.aws.bare_deployment import BareDeployment
from rig.aws.built_bundle import build_here
from rig.aws.runtime_api import FunctionFailed
from rig.services.fake_sendgrid import FakeSendGrid
from tests.unit.test_functions_start import ENVIRONMENT

ROOT = Path(__file__).parents[2]
LARGEST = 25_000_000
LARGEST_UNPACKED = 250 * 1024 * 1024  # Lambda's own limit
PACKAGES = {
    "babel",
    "botocore",
    "bundle.json",
    "dateutil",
    "idna",
    "jinja2",
    "jmespath",
    "jwt",
    "markupsafe",
    "memberships_export",
    "msgspec",
    "obstore",
    "six.py",
    "tzdata",
    "urllib3",
    # pip decides by the Python it runs under, whatever the bundle is for.
    *(["typing_extensions.py"] if sys.version_info < (3, 13) else []),
}
AARCH64 = 183  # of an ELF header


@pytest.fixture(scope="module")
def zip_arm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("bundle") / "arm.zip"
    bundle.build(FUNCTIONS, output)
    return output


def modules(zip_file: Path) -> set[str]:
    """Return the sources and libraries, without byte code and without metadata."""
    with ZipFile(zip_file) as archive:
        return {
            name for name in archive.namelist() if "__pycache__" not in name and ".dist-info/" not in name.split("/")[0]
        }


def test_made_twice_it_has_the_same_bytes(zip_here: Path, tmp_path: Path) -> None:
    again = build_here(tmp_path)

    assert sha256(again.read_bytes()).hexdigest() == sha256(zip_here.read_bytes()).hexdigest()


def test_it_holds_what_a_function_needs_and_no_web_framework_command_line_or_test(zip_here: Path) -> None:
    with ZipFile(zip_here) as archive:
        top = {name.split("/")[0] for name in archive.namelist()}

    assert {name for name in top if not name.endswith(".dist-info")} - {"__pycache__"} == PACKAGES


@pytest.mark.parametrize("left_out", manifest.LEFT_OUT_OF_PACKAGE)
def test_what_functions_do_not_run_exists_and_is_left_out(zip_here: Path, left_out: str) -> None:
    assert (ROOT / "src" / manifest.PACKAGE / left_out).exists()
    assert [name for name in modules(zip_here) if name.startswith(f"{manifest.PACKAGE}/{left_out}")] == []


def test_nothing_that_only_translators_and_compilers_read_is_in_it(zip_here: Path) -> None:
    needless = (".po", ".pot", ".c", ".pyi", ".typed")

    assert [name for name in modules(zip_here) if name.endswith(needless) or name.startswith("babel/messages")] == []


def test_scanners_find_name_and_version_of_each_package(zip_here: Path) -> None:
    with ZipFile(zip_here) as archive:
        metadata = [name for name in archive.namelist() if ".dist-info/" in name]

    assert {name.split("/")[1] for name in metadata} == {"METADATA"}
    assert len(metadata) == len(PACKAGES) - 2  # the service is not an installed package there, nor is the manifest


def test_byte_code_is_never_compared_with_its_source(code: Path) -> None:
    compiled = list((code / manifest.PACKAGE).rglob("*.pyc"))

    assert compiled
    assert {struct.unpack("<I", path.read_bytes()[4:8])[0] for path in compiled} == {0b01}


def test_it_says_what_it_was_built_for_and_from(zip_arm: Path, zip_here: Path) -> None:
    assert manifest.of(zip_arm) == manifest.expected(FUNCTIONS)
    assert manifest.problems(zip_arm) == []
    assert manifest.of(zip_here) == manifest.expected(bundle.this_machine())


def test_it_is_small(zip_here: Path, zip_arm: Path, code: Path) -> None:
    assert zip_here.stat().st_size < LARGEST
    assert zip_arm.stat().st_size < LARGEST
    assert sum(path.stat().st_size for path in code.rglob("*") if path.is_file()) < LARGEST_UNPACKED


def test_for_arm_it_holds_libraries_for_arm_and_the_python_of_the_function(zip_arm: Path) -> None:
    with ZipFile(zip_arm) as archive:
        machines = {
            name: struct.unpack_from("<H", archive.read(name), 18)[0]
            for name in archive.namelist()
            if name.endswith(".so")
        }

    assert set(machines.values()) == {AARCH64}
    assert [name for name in machines if ".abi3." not in name and ".cpython-313-" not in name] == []


def test_both_machines_get_the_same_sources(zip_here: Path, zip_arm: Path) -> None:
    def sources(zip_file: Path) -> set[str]:
        return {name for name in modules(zip_file) if not name.endswith(".so")}

    assert sources(zip_here) == sources(zip_arm)


def test_every_call_of_the_adapters_is_known_to_the_bundle_and_no_other() -> None:
    session, sources = Session(), list((ROOT / "src" / manifest.PACKAGE / "adapters" / "aws").glob("*.py"))
    named = {name for path in sources for name in re.findall(r"\.([a-z_]+)", path.read_text(encoding="utf-8"))}
    for service, operations in botocore_data.OPERATIONS.items():
        every = session.get_service_model(service).operation_names
        assert {name for name in every if xform_name(name) in named} == operations, service


@pytest.mark.parametrize("entry", ["export", "sweep"])
def test_a_cold_function_compiles_no_method_of_a_dataclass(entry: str, code: Path) -> None:
    start = (
        f"import sys; sys.path.insert(0, {str(code)!r}); import builtins; real, texts = builtins.exec, []\n"
        "def noting(code, *names): texts.append(code); real(code, *names)\n"
        f"builtins.exec = noting; import memberships_export.entrypoints.aws_lambda.{entry}\n"
        "print(len(texts) > 50, [text for text in texts if '__create_fn__' in str(text)])"
    )
    command = [sys.executable, "-I", "-S", "-B", "-c", start]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)

    assert (done.stdout.strip(), done.stderr) == ("True []", "")


def test_a_cold_function_loads_no_parser_of_html_no_archives_and_no_metadata(code: Path) -> None:
    needless = {"babel", "gettext", "html.parser", "importlib.metadata", "jinja2", "tempfile", "zipfile", "zoneinfo"}
    start = (
        f"import sys; sys.path.insert(0, {str(code)!r}); import memberships_export.entrypoints.aws_lambda.export; "
        f"print(sorted({needless} & set(sys.modules)))"
    )
    command = [sys.executable, "-I", "-S", "-B", "-c", start]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)

    assert (done.stdout.strip(), done.stderr) == ("[]", "")


@pytest.mark.parametrize("function", ["exporter", "sweeper"])
def test_a_missing_setting_ends_the_start_of_a_function_with_its_name(
    function: str, code: Path, deployment: BareDeployment
) -> None:
    del deployment.environ["MEMBERSHIPS_EXPORT_TABLE"]

    with (
        getattr(deployment, function)(code) as started,
        pytest.raises(FunctionFailed, match="MEMBERSHIPS_EXPORT_TABLE is not set"),
    ):
        started.invoke({})


def test_told_more_of_aws_a_function_exports_with_the_clients_of_botocore(
    code: Path, deployment: BareDeployment, sendgrid: FakeSendGrid
) -> None:
    deployment.environ["AWS_CONFIG_FILE"] = os.devnull
    export = deployment.ask()

    with deployment.exporter(code) as exporter, deployment.mapping(exporter):
        deployment.until(lambda: sendgrid.accepted, "the mail")
        deployment.until(lambda: deployment.record_of(export).status is ExportStatus.COMPLETED, "the end")


def test_the_sweeper_runs_with_nothing_but_the_bundle(code: Path, deployment: BareDeployment) -> None:
    with deployment.sweeper(code) as sweeper:
        assert sweeper.invoke({}) == {}
