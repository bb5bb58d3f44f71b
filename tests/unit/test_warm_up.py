"""What threads decode was decoded before: docs/msgspec-first-decode.md says what happens otherwise."""

import ast
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from memberships_api import cursor
from memberships_api.router import memberships_router
from memberships_api.sqlite_repository import SqliteMembershipRepository
from memberships_export.bootstrap.aws import function_services
from memberships_export.bootstrap.backend import connect
from memberships_export.bootstrap.warm_up import DECODED, warm_up
from memberships_export.domain.source.exchange import Answer
from memberships_export.domain.source.reader import reader_of
from memberships_export.settings import Settings
from tests.readers import own_reader
from tests.unit.test_docs import code_of

ROOT = Path(__file__).parents[2]
DOC = ROOT / "docs" / "msgspec-first-decode.md"
READERS = {"decode", "convert", "Decoder"}
PLACES = {"Decoder": 0, "convert": 1}  # of the type among the arguments, where it needs no name
# Settings and the profile's file are read before anything starts; a reader decodes its type before it is shared; a
# survey of a page makes types for itself, which no other thread has; a command that reads a manifest has one thread.
READY = {
    "memberships_export.adapters.embedded.backup.manifest",
    "memberships_export.settings.kinds",
    "memberships_export.domain.source.profile_file.shape",
    "memberships_export.domain.source.row_encodings",
    "memberships_export.domain.source.survey.as_objects",
    "memberships_export.domain.source.survey.column_survey",
    "memberships_export.domain.source.survey.mismatch",
    "memberships_export.domain.source.survey.raw_json",
}

# Types as they come from a profile: 300 of them, each decoded by 8 threads at the same moment.
AFTER_THE_WARM_UP = """
import sys, threading
import msgspec
from memberships_export.bootstrap.warm_up import DECODED, warm_up

sys.setswitchinterval(1e-6)
rows = [msgspec.defstruct(f"Row{number}", [("id", int), ("name", str | None)]) for number in range(300)]
types = [msgspec.defstruct(f"Page{row.__name__}", [("items", list[row])]) for row in rows]
warm_up(*types)
together = threading.Barrier(8)

def decode_all():
    for kind in (*DECODED, *types):
        together.wait()
        try:
            msgspec.json.decode(b'{"items": [{"id": 1, "name": "x"}]}', type=kind)
        except msgspec.ValidationError:
            pass

threads = [threading.Thread(target=decode_all) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def decoded_types() -> Iterator[tuple[str, Any]]:
    """Find every type that src hands to msgspec, with the module that does."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        name = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
        for kind in filter(None, map(type_of, calls)):
            if name not in READY | {"memberships_export.bootstrap.warm_up"}:
                yield name, eval(ast.unparse(kind), vars(importlib.import_module(name)))  # noqa: S307  (our own source)


def type_of(call: ast.Call) -> ast.expr | None:
    """Return the type that a call decodes to, None for other calls: bytes.decode() has no `type`."""
    called = str(call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", ""))
    named = next((keyword.value for keyword in call.keywords if keyword.arg == "type"), None)
    by_place = call.args[PLACES.get(called, len(call.args)) :]
    return named or next(iter(by_place), None) if called in READERS else None


def test_every_type_that_is_decoded_anywhere_is_warmed_up() -> None:
    warm: dict[str, list[Any]] = {"memberships_export": list(DECODED), "memberships_api": [cursor.Cursor]}
    found = list(decoded_types())

    assert len(found) >= 4, "the search finds what it should"
    forgotten = [(module, kind) for module, kind in found if kind not in warm[module.split(".")[0]]]
    assert forgotten == [], "add these to DECODED in bootstrap/warm_up.py"


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the types that are decoded from here on."""
    seen, decode = list[Any](), msgspec.json.decode

    def watched(content: bytes, **options: Any) -> Any:  # noqa: ANN401  (msgspec's own arguments)
        seen.append(options.get("type"))
        return decode(content, **options)

    monkeypatch.setattr(msgspec.json, "decode", watched)
    return seen


def test_whoever_connects_is_warm_before_any_thread_starts(decoded: list[Any], tmp_path: Path) -> None:
    connect(Settings(data_dir=tmp_path), None)

    assert decoded[: len(DECODED)] == list(DECODED)


def test_a_reader_has_decoded_its_type_before_anybody_can_share_it(decoded: list[Any]) -> None:
    reader = reader_of(own_reader().known)

    compiled = decoded[-1]
    reader.read(Answer(b'{"items": [], "nextCursor": null}'))

    assert decoded[-1] is compiled


def test_a_function_is_warm_before_its_sweeper_has_threads(decoded: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")  # else the client looks for a role, on another machine
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    function_services(
        Settings(backend="aws", table="t", bucket="b", queue_url="https://sqs.example.org/1/q"), os.environ
    )

    assert decoded[: len(DECODED)] == list(DECODED)


def test_the_memberships_api_is_warm_before_it_answers(decoded: list[Any], tmp_path: Path) -> None:
    memberships_router(SqliteMembershipRepository(tmp_path / "memberships.db"), lambda _request: "user-1")

    assert decoded == [cursor.Cursor]


def test_types_that_were_compiled_at_start_are_warmed_up_too(decoded: list[Any]) -> None:
    warm_up(list[int])

    assert decoded == [*DECODED, list[int]]


@pytest.mark.parametrize("_time", range(3))
def test_after_the_warm_up_any_number_of_threads_may_decode(_time: int) -> None:
    done = subprocess.run([sys.executable, "-c", AFTER_THE_WARM_UP], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("kind", ["struct", "dataclass"])
def test_the_program_of_the_report_runs_and_a_warm_up_saves_it(kind: str, tmp_path: Path) -> None:
    (program,) = code_of(DOC.read_text(encoding="utf-8"), "python")
    (tmp_path / "program.py").write_text(program)
    command = [sys.executable, str(tmp_path / "program.py"), kind, "warm"]

    assert subprocess.run(command, capture_output=True, text=True, check=False).returncode == 0
