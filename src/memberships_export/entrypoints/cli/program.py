"""How this program is called, for commands that people copy from its output."""

import platform
import shlex
import shutil
import sys
from pathlib import Path

_NAME = "memberships-export"
_MODULE = "memberships_export.entrypoints.cli.main"


def program() -> str:
    """Return what to type: the bare name where the shell finds it, else its whole path."""
    if shutil.which(_NAME):
        return _NAME
    called = Path(sys.argv[0]).absolute()
    return shlex.quote(str(called)) if called.name == _NAME else shlex.join(module_command())


def module_command() -> list[str]:
    """Return the arguments that start this program again, by the same Python, whatever the PATH."""
    return [sys.executable, "-m", _MODULE]


def version() -> str:
    """Return name and version of this program, and those of the Python that runs it."""
    from importlib.metadata import PackageNotFoundError, metadata  # noqa: PLC0415  (takes long: not for --help)

    try:
        number = metadata(_NAME)["Version"]
    except PackageNotFoundError:
        number = "of an unknown version, because it is not installed"
    return f"{_NAME} {number} (Python {platform.python_version()})"
