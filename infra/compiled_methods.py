"""Compiles what the module dataclasses writes as text for each class: a function would do so with each cold start."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from infra.manifest import PACKAGE, ROOT, shipped
from memberships_export.entrypoints.aws_lambda.compiled_methods import FILE

NAME = f"{PACKAGE}/entrypoints/aws_lambda/{FILE.parent.name}/{FILE.name}"
_ENTRIES = {"aws_lambda/export.py", "aws_lambda/sweep.py"}  # they start at import
# In a process of its own, with the packages of this machine: those of the bundle may be for another processor.
_RECORDER = """\
import dataclasses, marshal, sys
from importlib import import_module, util
from pathlib import Path

file, source, *modules = sys.argv[1:]
sys.path.insert(0, source)
texts = set()

def noted(text, of_module, made):
    texts.add(text)
    exec(text, of_module, made)

dataclasses.exec = noted
for module in modules:
    try:
        import_module(module)
    except ModuleNotFoundError:
        continue  # it needs what no function has
codes = {text: marshal.dumps(compile(text, "<string>", "exec")) for text in sorted(texts)}
Path(file).write_bytes(util.MAGIC_NUMBER + marshal.dumps(codes))
"""


def compile_methods(folder: Path) -> None:
    """Write the file that the functions read. The Python of this process has to be theirs."""
    file = folder / NAME
    file.parent.mkdir(parents=True, exist_ok=True)
    recorder = [sys.executable, "-I", "-B", "-c", _RECORDER, str(file), str(ROOT / "src"), *_modules()]
    subprocess.run(recorder, check=True)  # noqa: S603  (our own program, on our own files)


def _modules() -> Iterator[str]:
    """Name the modules of the service that go into a bundle."""
    for path in shipped():
        if path.suffix == ".py" and path.name != "__init__.py" and f"{path.parent.name}/{path.name}" not in _ENTRIES:
            yield ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
