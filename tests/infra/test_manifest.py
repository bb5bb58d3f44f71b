from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree, ignore_patterns
from zipfile import ZipFile

import pytest

from infra import manifest
from infra.manifest import FUNCTIONS, PACKAGE, Manifest
from rig.aws.synthesis import run_app, stand_in_bundle
from tests.infra.synthesis import ROOT, Synthesiser


def a_bundle(folder: Path, content: Manifest) -> Path:
    bundle = folder / "bundle.zip"
    with ZipFile(bundle, "w") as archive:
        archive.writestr(manifest.NAME, content.as_json())
    return bundle


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of what a bundle is built from."""
    for name in ("src/memberships_export", "requirements", "infra"):
        copytree(ROOT / name, tmp_path / name, ignore=ignore_patterns("__pycache__", "node_modules", "cdk.out"))
    return tmp_path


def test_a_bundle_of_this_source_for_the_functions_is_taken(tmp_path: Path) -> None:
    assert manifest.problems(stand_in_bundle(tmp_path)) == []


@pytest.mark.parametrize(
    "change, words",
    [
        ({"arch": "x86_64"}, "was built for x86_64, and the functions run on arm64: run `make lambda ARCH=arm64`."),
        ({"python": "3.12"}, "was built for Python 3.12, and the functions run with 3.13: run `make lambda"),
        ({"source": "0"}, "from another source than that in src/memberships_export"),
        ({"lock": "0"}, "from other packages than those in requirements/lambda.txt"),
    ],
)
def test_what_is_stale_or_of_another_kind_is_named_with_the_command_that_mends_it(
    change: dict[str, str], words: str, tmp_path: Path
) -> None:
    bundle = a_bundle(tmp_path, replace(manifest.expected(FUNCTIONS), **change))  # type: ignore[arg-type]

    (problem,) = manifest.problems(bundle)

    assert str(bundle) in problem
    assert words in problem


@pytest.mark.parametrize("content", [b"no zip", b"", None])
def test_what_says_nothing_of_itself_is_no_bundle(content: bytes | None, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.zip"
    if content is None:
        bundle.mkdir()
    else:
        bundle.write_bytes(content)

    assert manifest.problems(bundle) == [
        f"{bundle} does not say what it was built from, so it is no bundle of this version: run `make lambda`."
    ]


def edit(path: Path) -> None:
    path.write_text(path.read_text() + "# changed\n")


def move(path: Path) -> None:
    path.rename(path.with_name("renamed.py"))


def test_what_is_compiled_of_a_translation_is_shipped_and_what_translators_edit_is_not(checkout: Path) -> None:
    folder = checkout / "src" / PACKAGE / "translations" / "xx" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    for name in ("messages.mo", "messages.po", "messages.pot"):
        (folder / name).touch()

    assert [path.name for path in manifest.shipped(checkout) if path.parent == folder] == ["messages.mo"]


@pytest.mark.parametrize("change", [edit, Path.unlink, move])
@pytest.mark.parametrize("name", ["adapters/aws/sqs_queue.py", "domain/errors.py"])
def test_every_change_of_what_is_shipped_makes_a_bundle_stale(
    change: Callable[[Path], None], name: str, checkout: Path
) -> None:
    bundle = a_bundle(checkout, manifest.expected(FUNCTIONS, checkout))
    assert manifest.problems(bundle, root=checkout) == []

    change(checkout / "src" / PACKAGE / name)

    assert len(manifest.problems(bundle, root=checkout)) == 1


@pytest.mark.parametrize("name", ["infra/bundle.py", "infra/botocore_data.py", "requirements/lambda.txt"])
def test_so_does_another_builder_and_another_lock(name: str, checkout: Path) -> None:
    before = manifest.expected(FUNCTIONS, checkout)

    edit(checkout / name)

    assert manifest.expected(FUNCTIONS, checkout) != before


def test_what_functions_do_not_run_may_change(checkout: Path) -> None:
    before = manifest.expected(FUNCTIONS, checkout)

    edit(checkout / "src" / PACKAGE / "entrypoints" / "worker.py")
    edit(checkout / "infra" / "stack.py")

    assert manifest.expected(FUNCTIONS, checkout) == before


def test_a_stale_bundle_ends_the_synthesis_with_a_sentence(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path, replace(manifest.expected(FUNCTIONS), arch="x86_64"))

    refused = run_app(tmp_path / "out", bundle, {})

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"The bundle {bundle} was built for x86_64")
    assert "Traceback" not in refused.stderr


def test_bundles_are_checked_for_what_the_functions_of_the_template_are(synth: Synthesiser) -> None:
    functions = [told for told in synth().of_type("Lambda::Function").values() if "FunctionName" in told]

    assert functions
    assert {told["Runtime"] for told in functions} == {f"python{FUNCTIONS.python}"}
    assert {tuple(told["Architectures"]) for told in functions} == {(FUNCTIONS.arch,)}


def test_the_profiles_are_in_a_bundle_and_what_only_editors_read_is_not() -> None:
    names = {path.relative_to(manifest.ROOT / "src").as_posix() for path in manifest.shipped()}

    assert "memberships_export/shipped/profiles/memberships.toml" in names
    assert "memberships_export/shipped/profile.schema.json" not in names
