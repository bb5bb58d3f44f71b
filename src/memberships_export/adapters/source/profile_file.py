"""Where profiles are: files of whoever runs the service, and those that come with it."""

from collections.abc import Mapping
from pathlib import Path

from memberships_export.domain.source.profile import KnownProfile
from memberships_export.domain.source.profile_file.problems import ProfileInvalid
from memberships_export.domain.source.profile_file.toml import known_profile

_SHIPPED = Path(__file__).parents[2] / "shipped"
OWN = "memberships"  # the profile of our own contract
_ENDING = ".toml"
_LARGEST = 256 * 1024  # bytes; a profile has two thousand


def is_file_name(place: str) -> bool:
    """Tell the name of a file from that of a profile that comes with the service."""
    return place.endswith(_ENDING) or "/" in place


def load_profile(place: str) -> KnownProfile:
    """Read the profile at this place: a file, or the name of one that comes with the service. Raises ProfileInvalid."""
    if not is_file_name(place):
        return known_profile(shipped_text(place), place)  # the tests have checked it
    text = _text(Path(place))
    from memberships_export.domain.source.profile_file.text import read_profile  # noqa: PLC0415  (a cold start needs it not)

    return read_profile(text, Path(place).name)


def shipped_text(name: str) -> str:
    """Return the file of a profile that comes with the service. Raises ProfileInvalid when there is none."""
    names = shipped_names()
    if name not in names:
        raise ProfileInvalid([_no_such(name, names)])
    return (_SHIPPED / "profiles" / f"{name}{_ENDING}").read_text(encoding="utf-8")


def shipped_names() -> list[str]:
    """Return the names of the profiles that come with the service."""
    return sorted(path.stem for path in (_SHIPPED / "profiles").glob(f"*{_ENDING}"))


def shipped_descriptions() -> Mapping[str, str]:
    """Return what each profile that comes with the service is for, by name."""
    return {name: load_profile(name).profile.description for name in shipped_names()}


def schema_text() -> str:
    """Return the JSON Schema of profiles, for editors."""
    return (_SHIPPED / "profile.schema.json").read_text(encoding="utf-8")


def _text(path: Path) -> str:
    """Read a file that is no larger than a profile can be."""
    try:
        if path.exists() and not path.is_file():  # a pipe would never end
            raise ProfileInvalid(["is no file: name the file itself"])
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise ProfileInvalid([f"is larger than {_LARGEST // 1024} KiB: it is no profile"])
        return content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ProfileInvalid([f"is not written in UTF-8 (line {line}): save it as UTF-8"]) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        what = getattr(error, "strerror", None) or "no file can have this name"
        raise ProfileInvalid([f"cannot be read: {what}"]) from error


def _no_such(name: str, names: list[str]) -> str:
    import difflib  # noqa: PLC0415  (who makes no mistake does not wait for it at start)

    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    meant = f"did you mean {close[0]}? " if close else ""
    return (
        f"no such profile comes with the service: {meant}There are {', '.join(names)}; the name of a file ends in .toml"
    )
