"""What a piece of work took: printed as JSON, for the process that started this one."""

import json
import re
import resource
import time
from collections.abc import Callable
from pathlib import Path


def print_what_it_took(work: Callable[[], object]) -> None:
    """Do it once. Seconds, seconds of this process's and its children's processor time, most resident bytes (Linux)."""
    begun, processor = time.perf_counter(), _processor_seconds()
    work()
    took = {
        "seconds": time.perf_counter() - begun,
        "processor_seconds": _processor_seconds() - processor,
        "peak_bytes": _peak_bytes(),
    }
    print(json.dumps(took))


def _processor_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _peak_bytes() -> int:
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found, "This system does not tell the peak memory of a process."
    return int(found[1]) * 1024
