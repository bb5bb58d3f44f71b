"""One exercise from beginning to end: a folder, a service in it, the situation, and nothing left behind."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rig.drill.local_service import LocalService
from rig.drill.machine import mount_small_disk, unmount
from rig.drill.outside import Around, ForgetfulApi, MailService
from rig.drill.situations import SITUATIONS, Situation

_ROWS = 50


@dataclass(frozen=True, slots=True)
class Exercise:
    """A service that is in trouble. `seen`: what a person on call is told. `missing`: commands that are not there."""

    service: LocalService
    situation: Situation
    seen: str
    missing: tuple[str, ...]


@contextmanager
def exercise(name: str) -> Iterator[Exercise]:
    """Bring the situation about, and clean up at the end. Raises NoSmallDisk where that is needed and cannot be."""
    situation = SITUATIONS[name]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="memberships-export-drill-")))
        if situation.small_disk:
            mount_small_disk(folder / "data")
            stack.callback(unmount, folder / "data")
        around = Around(stack.enter_context(ForgetfulApi(_ROWS)), stack.enter_context(MailService(folder)))
        service = stack.enter_context(LocalService(folder, around, situation.settings))
        missing = tuple(command for command in situation.needs if service.type(*command.split(), "--help").returncode)
        yield Exercise(service, situation, situation.come_about(service), missing)
