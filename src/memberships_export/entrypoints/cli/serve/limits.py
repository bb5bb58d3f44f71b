"""How much one client, and all of them together, may take of this process."""

import logging
import resource
from dataclasses import dataclass

from memberships_export.entrypoints.api.problem_route import LONGEST_BODY

log = logging.getLogger(__name__)
# Longer than a load balancer in front keeps a connection it does not use, 60 on AWS: one that we close just when it is
# used again would be a 502 for somebody.
KEEP_ALIVE_SECONDS = 75
_LESS_THAN_THAT_IS_NO_SERVICE = 8
# Files for connections that were accepted and not counted yet, and for those that are being told that there is no room.
_ON_THE_THRESHOLD = 64
_FILES_OF_A_THREAD = 32  # two databases with three files each, a download, and room
_MOST_THREADS = 40  # as many as Starlette has by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    connections: int = 1000
    threads: int = _MOST_THREADS
    """Requests that are worked on at the same time; each may open databases and files."""
    header_bytes: int = 64 * 1024
    header_fields: int = 200
    body_bytes: int = 2 * LONGEST_BODY
    """As it is on the wire; the API itself counts what is in it."""
    header_seconds: float = 10
    body_seconds: float = 30
    reading_seconds: float = 60
    """How long a client may take none of an answer that waits for it."""
    farewell_seconds: float = 2
    """How long a client that was refused may take to read why."""
    idle_seconds: int = KEEP_ALIVE_SECONDS


def limits_here(connections: int) -> Limits:
    """Return what this process can bear, and say so: half of its files, at most, are connections."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    limits = limits_of(connections, files)
    if limits.connections < connections:
        log.warning(
            "event=limits connections=%d files=%d reason=This process may open only so many files, and needs the rest "
            "for databases and downloads: for %d connections raise the limit (ulimit -n) to %d.",
            limits.connections,
            files,
            connections,
            2 * connections + _ON_THE_THRESHOLD,
        )
    else:
        log.info("event=limits connections=%d files=%d", limits.connections, files)
    return limits


def limits_of(connections: int, files: int) -> Limits:
    """Divide the files that the process may open (resource.RLIM_INFINITY: any number)."""
    if files == resource.RLIM_INFINITY:
        return Limits(connections=connections)
    possible = max((files - _ON_THE_THRESHOLD) // 2, _LESS_THAN_THAT_IS_NO_SERVICE)
    threads = min(_MOST_THREADS, max(files // _FILES_OF_A_THREAD, 2))
    return Limits(connections=min(connections, possible), threads=threads)
