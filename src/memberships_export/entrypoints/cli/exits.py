"""How a command ends: the exit codes, and the errors that lead to them."""

from collections.abc import Mapping
from enum import IntEnum


class ExitCode(IntEnum):
    """What a script learns from a command. `main` prints this list in --help."""

    DONE = 0  # what was asked for is done
    FAILED = 1  # what was asked for failed, was refused, or is not there
    USAGE = 2  # wrong arguments or settings
    UNREACHABLE = 3  # the service cannot be reached


class CommandError(Exception):
    """The command cannot do what was asked; the text says why and names the fix."""

    exit_code = ExitCode.FAILED
    code = "failed"  # for programs, in the JSON of the error

    def facts(self) -> Mapping[str, object]:
        """Return what else a program may want to know."""
        return {}


class WrongUsage(CommandError):
    """Arguments or settings are wrong."""

    exit_code = ExitCode.USAGE
    code = "usage"


class Unreachable(CommandError):
    """Nobody answers for the service; `passes`: as after a restart, so that trying again makes sense."""

    exit_code = ExitCode.UNREACHABLE
    code = "unreachable"
    passes = True


class SomethingElseAnswers(Unreachable):
    """What answers is not the service."""

    passes = False
