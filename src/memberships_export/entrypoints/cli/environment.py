"""The settings of commands that work on this machine's data."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from memberships_export.entrypoints.cli.data_folder import holds
from memberships_export.entrypoints.cli.exits import WrongUsage
from memberships_export.settings import Problem, Settings, read_settings, variable

_OF_AWS = ("botocore", "obstore")


def settings_here(
    flags: Mapping[str, str] | None = None, also: Callable[[Settings], Iterable[Problem]] = lambda _: ()
) -> Settings:
    """Read the settings from the environment; flags win, by name of the setting. Raises SettingsError.

    `also`: what else keeps this command from starting, told with the rest.
    """
    given = {variable(name): value for name, value in (flags or {}).items()}
    return read_settings({**os.environ, **given}, also)


def settings_with_data(backend: str | None = None) -> Settings:
    """Read the settings of a service that has run; `backend` overrides theirs. Raises SettingsError, CommandError."""
    override = {variable("backend"): backend} if backend else {}
    settings = read_settings({**os.environ, **override})
    if settings.backend == "aws":
        return settings
    if not holds(settings.data_dir, "exports.db"):
        raise WrongUsage(
            f"There are no exports in {settings.data_dir.absolute()}. Run this in the folder of the service, or set "
            f"{variable('data_dir')} to its data folder."
        )
    return settings


@contextmanager
def wiring() -> Iterator[None]:
    """Wire inside this block: a setting that only its adapter can judge is wrong usage too; the text names it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in _OF_AWS:
            raise
        text = f"{variable('backend')} is aws, and the packages for that are not installed: make install-aws"
        raise WrongUsage(text) from error
    except ValueError as error:
        raise WrongUsage(str(error)) from error
