"""What each process of the service does, and how many processes there are."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

_FEWEST_WORKERS = 2  # one export that takes long does not hold up all others, on one core neither


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """What one process does; of a service of one process, all that the command says."""

    api: bool = False
    worker: bool = False
    sweeps: bool = False
    drain: bool = False  # the workers end when there is nothing left that could be done now
    looks: bool = False  # at the memberships API, once
    leads: bool = True  # does what one process does for all: alerts, and what the log tells once


@dataclass(frozen=True, slots=True)
class Child:
    """A place in the service, which one process after the other may fill: `worker-1`, `api-1`."""

    name: str
    roles: Roles

    @property
    def kind(self) -> str:
        """What it is one of: `api` or `worker`."""
        return "api" if self.roles.api else "worker"


def all_of(*, api: bool, worker: bool, drain: bool = False) -> Roles:
    """Return all that a command does."""
    return Roles(api=api, worker=worker, sweeps=worker, drain=drain, looks=worker)


def workers_for(cores: int) -> int:
    """Return how many worker processes there are where nobody says it."""
    return max(cores, _FEWEST_WORKERS)


def children_of(command: Roles, *, workers: int, api_processes: int) -> tuple[Child, ...]:
    """Divide what a command does among processes; none: one process does all of it.

    The first leads. One of the workers sweeps.
    """
    apis, workers = api_processes if command.api else 0, workers if command.worker else 0
    if max(apis, workers) <= 1:
        return ()
    return (*_apis(command, apis), *_workers(command, workers))


def _apis(command: Roles, count: int) -> Iterator[Child]:
    for number in range(1, count + 1):
        first = number == 1
        yield Child(f"api-{number}", Roles(api=True, looks=command.looks and first, leads=first))


def _workers(command: Roles, count: int) -> Iterator[Child]:
    for number in range(1, count + 1):
        first = number == 1
        leads = first and not command.api
        yield Child(
            f"worker-{number}", replace(command, api=False, sweeps=first, looks=command.looks and leads, leads=leads)
        )
