"""The names of the environment variables, and what a misspelt one was meant to be."""

from collections.abc import Iterable, Iterator

PREFIX = "MEMBERSHIPS_EXPORT_"
CLIENT_VARIABLES = ("MEMBERSHIPS_EXPORT_URL", "MEMBERSHIPS_EXPORT_TOKEN")  # read by the command line's client commands


def variable(name: str) -> str:
    """Return the variable of a field: its name in capitals, behind the prefix of all variables."""
    return PREFIX + name.upper()


def unknown(environ: Iterable[str], fields: Iterable[str]) -> Iterator[str]:
    """Refuse variables that nobody reads: most likely typing errors."""
    known = [variable(name) for name in fields]
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in (*known, *CLIENT_VARIABLES):
            yield f"{name} is not a setting{_did_you_mean(name, known)}"


def _did_you_mean(name: str, known: list[str]) -> str:
    import difflib  # noqa: PLC0415  (who makes no mistake does not wait for it at start)

    close = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
    return f"; did you mean {close[0]}?" if close else "; docs/configuration.md lists them all."
