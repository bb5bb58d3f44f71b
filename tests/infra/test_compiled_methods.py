"""What is compiled of dataclasses when a bundle is built, whatever processor the bundle is for."""

import marshal
from importlib.util import MAGIC_NUMBER
from pathlib import Path

from infra.compiled_methods import NAME, compile_methods


def test_methods_are_compiled_without_a_look_at_packages_for_another_processor(tmp_path: Path) -> None:
    for package in ("msgspec", "obstore"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise ImportError('wrong ELF class')")

    compile_methods(tmp_path)

    kept = (tmp_path / NAME).read_bytes()
    codes = marshal.loads(kept.removeprefix(MAGIC_NUMBER))  # noqa: S302  (written just now)
    assert kept.startswith(MAGIC_NUMBER)
    assert len(codes) > 90
    assert [text for text in codes if "__create_fn__" not in text] == []
