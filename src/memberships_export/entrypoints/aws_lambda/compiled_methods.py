"""Methods of dataclasses that were compiled when the bundle was built.

Python writes the methods of a dataclass as text, and compiles it whenever the class is made, which is at each import.
That was a fifth of a cold start, and byte code does not keep them. The builder of the bundle keeps what each text
compiles to; a text that it does not know is compiled as ever.
"""

import dataclasses
import marshal
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Any

# Beside other byte code. It begins with that one's number; then comes a dict: text -> what it compiles to.
FILE = Path(__file__).parent / "__pycache__" / "dataclass_methods.bin"


def use_compiled_methods(file: Path = FILE) -> None:
    """Let dataclasses that are made from here on take their methods from the file, if this Python can read it."""
    kept = file.read_bytes() if file.exists() else b""
    if not kept.startswith(MAGIC_NUMBER):  # written by another Python, or nowhere at all
        return
    codes: dict[str, bytes] = marshal.loads(kept[len(MAGIC_NUMBER) :])  # noqa: S302  (a part of the code, as byte code is)

    def run(text: str, of_module: dict[str, Any], made: dict[str, Any]) -> None:
        code = codes.get(text)
        exec(marshal.loads(code) if code else text, of_module, made)  # noqa: S102, S302  (what dataclasses itself does)

    vars(dataclasses)["exec"] = run  # hides the builtin from that module alone
