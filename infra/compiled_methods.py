"""Compiles what the module dataclasses writes as text for each class: a function would do so with each cold start."""

import subprocess
import sys
from pathlib import Path

from infra.manifest import PACKAGE

NAME = f"{PACKAGE}/entrypoints/aws_lambda/__pycache__/dataclass_methods.bin"
# In a process of its own, with nothing but the bundle: the texts are those that a function would compile.
_RECORDER = f"""\
import dataclasses, marshal, sys
from importlib import import_module, util
from pathlib import Path
from pkgutil import walk_packages

folder, texts = Path(sys.argv[1]), set()
sys.path.insert(0, str(folder))

def noted(text, of_module, made):
    texts.add(text)
    exec(text, of_module, made)

dataclasses.exec = noted
import {PACKAGE}
for module in walk_packages({PACKAGE}.__path__, "{PACKAGE}."):
    try:
        if "aws_lambda" not in module.name or module.name.endswith(".functions"):  # an entry starts at import
            import_module(module.name)
    except ModuleNotFoundError:
        continue  # it needs what was left out of the bundle, so no function loads it
codes = {{text: marshal.dumps(compile(text, "<string>", "exec")) for text in sorted(texts)}}
(folder / "{NAME}").parent.mkdir()
(folder / "{NAME}").write_bytes(util.MAGIC_NUMBER + marshal.dumps(codes))
"""


def compile_methods(folder: Path) -> None:
    """Write the file that the functions read. The Python of this process has to be theirs."""
    subprocess.run([sys.executable, "-I", "-S", "-B", "-c", _RECORDER, str(folder)], check=True)  # noqa: S603  (our own)
