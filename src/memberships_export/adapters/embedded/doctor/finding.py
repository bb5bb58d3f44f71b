"""What a look at the data folder found: what is wrong, with which thing, and what to type."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from memberships_export.domain.errors import StorageUnavailable


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at. `fix`: what to do about it, as a command where there is one."""

    what: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at. `unknown`: why it could not be."""

    name: str
    findings: Sequence[Finding] = ()
    unknown: str | None = None


def checked(name: str, look: Callable[[], Iterator[Finding]]) -> Check:
    """Look, and keep what was found; what keeps one check from looking does not keep the others."""
    findings = list[Finding]()
    try:
        findings.extend(look())
    except StorageUnavailable as error:
        return Check(name=name, findings=findings, unknown=error.reason)
    except OSError as error:
        return Check(name=name, findings=findings, unknown=f"{error.filename}: {error.strerror}.")
    except sqlite3.DatabaseError as error:
        return Check(
            name=name, findings=findings, unknown=f"The database cannot be read as this version does: {error}."
        )
    return Check(name=name, findings=findings)
