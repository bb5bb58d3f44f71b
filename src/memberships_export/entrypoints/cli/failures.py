"""What a command that failed tells: words for a person, and with --json an object for a program."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile

import typer

from memberships_export.domain.errors import StorageUnavailable
from memberships_export.entrypoints.cli.exits import CommandError, ExitCode, WrongUsage
from memberships_export.entrypoints.cli.output import masked
from memberships_export.settings import SettingsError

Foreseen = CommandError | SettingsError | StorageUnavailable | typer.TyperException


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as the command line tells it. `code` is for programs, `facts` are what else is known."""

    message: str
    exit_code: int
    code: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def to_json(self) -> Mapping[str, object]:
        """Return the one form that every command answers with."""
        return {"error": {"code": self.code, "message": self.message, "exitCode": self.exit_code, **self.facts}}


def failure_of(error: Foreseen) -> Failure:
    """Say what an error means. Addresses are masked: it may quote what was typed, or what others said."""
    match error:
        case CommandError():
            return Failure(str(masked(str(error))), error.exit_code, error.code, error.facts())
        case SettingsError():
            return Failure(str(error), ExitCode.USAGE, WrongUsage.code)
        case StorageUnavailable():
            return Failure(str(masked(error.reason)), ExitCode.FAILED, error.code)
        case _:
            return Failure(error.format_message(), error.exit_code, WrongUsage.code)


def wants_json(arguments: Iterable[str]) -> bool:
    """Tell whether a program reads the answer, also where the arguments are too wrong to be understood."""
    return "--json" in takewhile(lambda argument: argument != "--", arguments)
