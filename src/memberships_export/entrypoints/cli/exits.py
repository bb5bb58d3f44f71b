"""How a command ends: the exit codes, and the errors that lead to them."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a script learns from a command. `main` prints this list in --help."""

    DONE = 0  # what was asked for is done
    FAILED = 1  # what was asked for failed, was refused, or is not there
    USAGE = 2  # wrong arguments or settings
    UNREACHABLE = 3  # the service cannot be reached


class CommandError(Exception):
    """The command cannot do what was asked; the text says why and names the fix."""

    code = ExitCode.FAILED


class WrongUsage(CommandError):
    """Arguments or settings are wrong."""

    code = ExitCode.USAGE


class Unreachable(CommandError):
    """Nobody answers for the service."""

    code = ExitCode.UNREACHABLE
