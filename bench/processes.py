"""What processes took of processor and memory: Linux tells it in /proc."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from os import sysconf
from pathlib import Path


def processor_seconds(*roots: int) -> float:
    """Return the time of these processes and of all that they started, ended ones included: it only grows."""
    return sum(map(_all_processes().seconds, roots))


def peak_bytes(root: int) -> int:
    """Return the most memory that the process, or one that it started, held at once (VmHWM)."""
    return max(map(_peak, _all_processes().family(root)))


@dataclass(frozen=True, slots=True)
class _Processes:
    """By id: seconds, with those of children that it waited for, and the living children."""

    taken: Mapping[int, float]
    children: Mapping[int, Sequence[int]]

    def family(self, root: int) -> list[int]:
        return [root, *chain.from_iterable(map(self.family, self.children.get(root, ())))]

    def seconds(self, root: int) -> float:
        return sum(self.taken.get(process, 0.0) for process in self.family(root))


def _all_processes() -> _Processes:
    taken: dict[int, float] = {}
    children: dict[int, list[int]] = defaultdict(list)
    ticks = sysconf("SC_CLK_TCK")
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()  # the name before it may hold anything
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        children[int(fields[1])].append(int(path.name))
        taken[int(path.name)] = sum(map(int, fields[11:15])) / ticks
    return _Processes(taken, children)


def _peak(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found, "This system does not tell the peak memory of a process."
    return int(found[1]) * 1024
