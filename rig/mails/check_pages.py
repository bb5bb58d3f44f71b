"""What html-validate and caniemail say of the pages of mails. Both bring all that they know: nothing is asked for."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.node import node

PROGRAM: Final = Path(__file__).with_suffix(".mjs")
INSTALLED: Final = (Path(__file__).parents[1] / "node_modules" / "html-validate").exists()


@dataclass(frozen=True, slots=True)
class Told:
    """Of one page: what is wrong in it, and (mail program, what it cannot do)."""

    wrong: list[str]
    unsupported: list[tuple[str, str]]


def told_of(pages: Mapping[str, str]) -> dict[str, Told]:
    """Check all pages, by name, in one process."""
    done = subprocess.run([node(), PROGRAM], input=json.dumps(pages), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {
        name: Told(told["wrong"], [(program, feature) for program, feature in told["unsupported"]])
        for name, told in json.loads(done.stdout).items()
    }
