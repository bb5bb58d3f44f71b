"""What a process knows of its own state."""

from collections.abc import Callable
from dataclasses import dataclass

from memberships_export.entrypoints.cli.serve.noticing import Noticing
from memberships_export.service.operator.first_look import FirstLook


@dataclass(frozen=True, slots=True)
class Known:
    """`check` tries a write, `noticed` is what the log told, `look` is at the memberships API."""

    check: Callable[[], None]
    noticed: Noticing
    look: FirstLook | None
