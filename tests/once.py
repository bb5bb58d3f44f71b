"""What takes long to make is made once, however many workers run the tests."""

import fcntl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Once:
    """Fills a folder of a name, unless another worker of this run did; who comes meanwhile waits for it."""

    run: Path  # a folder that all workers of this run have

    def __call__(self, name: str, fill: Callable[[Path], object]) -> Path:
        folder, done = self.run / name, self.run / f"{name}.done"
        with (self.run / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                folder.mkdir(exist_ok=True)
                fill(folder)
                done.touch()
        return folder
