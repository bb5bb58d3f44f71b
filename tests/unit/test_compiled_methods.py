"""Methods of dataclasses come from the bundle where it has them, and are compiled where it has not."""

import dataclasses
import marshal
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

from memberships_export.entrypoints.aws_lambda.compiled_methods import use_compiled_methods

MAKE_ONE = "class One:\n    x: int = 1\n"


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let dataclasses compile again after a test."""
    monkeypatch.setitem(vars(dataclasses), "exec", exec)


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what dataclasses compiles for the class of these tests."""
    noted = list[str]()
    with monkeypatch.context() as before:

        def note(text: str, of_module: dict[str, object], made: dict[str, object]) -> None:
            noted.append(text)
            exec(text, of_module, made)  # noqa: S102

        before.setitem(vars(dataclasses), "exec", note)
        made()
    return noted


def made() -> type:
    names: dict[str, type] = {}
    exec(MAKE_ONE, names)  # noqa: S102
    return dataclasses.dataclass(frozen=True)(names["One"])


def test_a_text_that_the_bundle_has_is_not_compiled_again(tmp_path: Path, texts: list[str]) -> None:
    marked = {text: marshal.dumps(compile(text.replace("__repr__", "marked"), "m", "exec")) for text in texts}
    file = tmp_path / "methods.bin"
    file.write_bytes(MAGIC_NUMBER + marshal.dumps(marked))

    use_compiled_methods(file)

    one = made()
    assert vars(one)["__init__"].__code__.co_filename == "m"
    assert (one(), one(2)) == (one(x=1), one(x=2))
    assert one() != one(2)


@pytest.mark.parametrize("kept", [None, b"", b"another Python" + marshal.dumps({}), MAGIC_NUMBER + marshal.dumps({})])
def test_without_it_dataclasses_are_made_as_ever(kept: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "methods.bin"
    if kept is not None:
        file.write_bytes(kept)

    use_compiled_methods(file)

    one = made()
    assert vars(one)["__init__"].__code__.co_filename == "<string>"
    assert one(3) == one(x=3)
