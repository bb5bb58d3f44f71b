"""The profile of the memberships API: one that comes with the service, or a file that goes along with the functions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile

from infra.bundle import file_entry
from infra.manifest import ROOT
from memberships_export.adapters.source.profile_file import is_file_name, load_profile
from memberships_export.domain.source.profile_file.problems import ProfileInvalid
from memberships_export.domain.source.profile_file.secrets import secrets_named

_CODE = "/var/task"  # where Lambda puts the code of a function
_ENVIRONMENT = "env:"


def checked_profile(profile: str) -> str:
    """Return the name, or the file, of a profile that functions can work by. ValueError says what is wrong with it."""
    place = _place(profile)
    try:
        named = secrets_named(load_profile(place).profile)
    except ProfileInvalid as error:
        raise ValueError(f"a profile without problems:\n{error}") from error
    if missing := [secret for secret in named if secret.startswith(_ENVIRONMENT)]:
        hint = (
            "take secret:ID, with the id of a secret in Secrets Manager. Start from `memberships-export profiles show`"
        )
        raise ValueError(f"a profile whose secrets functions can read, and {missing[0]} is a variable of none: {hint}")
    return place


def secrets_of(profile: str) -> list[str]:
    """Return the ids of the secrets that a checked profile names."""
    return [secret.partition(":")[2] for secret in secrets_named(load_profile(profile).profile)]


def in_function(profile: str) -> str:
    """Return how a function is told of a checked profile."""
    return f"{_CODE}/{Path(profile).name}" if is_file_name(profile) else profile


@contextmanager
def code_with(bundle: Path, profile: str | None) -> Iterator[Path]:
    """Give the bundle with the profile's file in it, for as long as it takes to read that. Same bytes for the same."""
    if profile is None or not is_file_name(profile):
        yield bundle
        return
    with TemporaryDirectory() as folder:
        code = Path(folder) / bundle.name
        copyfile(bundle, code)
        with ZipFile(code, "a", ZIP_DEFLATED) as archive:
            archive.writestr(file_entry(Path(profile).name), Path(profile).read_bytes())
        yield code


def _place(profile: str) -> str:
    """Return where it is: a file is named from the project's folder on."""
    return str(ROOT / profile) if is_file_name(profile) else profile
