import logging
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from memberships_export.entrypoints.cli import logs
from memberships_export.entrypoints.cli.logs import Damping

OURS = "memberships_export.service.worker.sweep"
TROUBLE = "export=%s event=trouble reason=%s"


@pytest.fixture
def written() -> list[str]:
    return []


@pytest.fixture
def damping(written: list[str]) -> Damping:
    return Damping(lambda record: written.append(record.getMessage()))


def line(second: float, *facts: str, name: str = OURS, level: int = logging.WARNING) -> logging.LogRecord:
    record = logging.LogRecord(
        name, level, "", 0, TROUBLE if len(facts) == 2 else facts[0], facts * (len(facts) == 2), None
    )
    record.created = second
    return record


def passed(damping: Damping, records: list[logging.LogRecord]) -> int:
    return sum(bool(damping.filter(record)) for record in records)


def test_of_a_thousand_warnings_about_one_cause_in_one_second_five_are_written(damping: Damping) -> None:
    assert passed(damping, [line(7.0, f"export-{number}", "disk full") for number in range(1000)]) == 5


def test_the_next_second_begins_with_how_many_were_left_out(damping: Damping, written: list[str]) -> None:
    passed(damping, [line(7.0, f"export-{number}", "disk full") for number in range(12)])
    assert damping.filter(line(8.0, "something else", level=logging.ERROR))
    assert written == [f"event=left_out lines=7 like={TROUBLE}"]
    assert damping.filter(line(8.0, "export-1", "disk full"))
    damping.filter(line(9.0, "export-1", "disk full"))
    assert len(written) == 1


def test_lines_about_different_causes_do_not_silence_each_other(damping: Damping) -> None:
    passed(damping, [line(7.0, "one cause") for _ in range(100)])
    assert damping.filter(line(7.0, "another"))
    assert damping.filter(line(7.0, "one cause", level=logging.ERROR))


def test_what_goes_well_is_written_for_every_export(damping: Damping) -> None:
    records = [line(7.0, f"export-{number}", "completed", level=logging.INFO) for number in range(1000)]
    assert passed(damping, records) == 1000


def test_the_same_information_again_and_again_is_damped(damping: Damping) -> None:
    assert passed(damping, [line(7.0, "turned away", level=logging.INFO) for _ in range(1000)]) == 5


def test_a_library_that_writes_facts_into_its_texts_is_damped_too(damping: Damping) -> None:
    records = [line(7.0, f"socket.accept() failed: fd={number}", name="asyncio") for number in range(1000)]
    assert passed(damping, records) == 5


@pytest.fixture
def _logging_is_put_back() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("memberships_export")
    before = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:], root.level, ours.level = before
    logging.captureWarnings(capture=False)


@pytest.mark.usefixtures("_logging_is_put_back")
def test_the_log_of_a_service_is_damped(capsys: pytest.CaptureFixture[str]) -> None:
    logs.to_stderr("text")
    for number in range(1000):
        logging.getLogger(OURS).warning(TROUBLE, number, "disk full")
    lines = capsys.readouterr().err.splitlines()
    seconds = {text[:19] for text in lines}
    assert 5 <= len(lines) <= 6 * len(seconds)


@pytest.mark.skipif(not hasattr(os, "O_DIRECT"), reason="needs a pipe that keeps writes apart, which Linux has")
def test_a_line_is_one_write_so_that_lines_of_several_processes_do_not_mix() -> None:
    reading, writing = os.pipe2(os.O_DIRECT)
    program = "from memberships_export.entrypoints.cli.logs import to_stderr; import logging; to_stderr('text'); "
    program += "logging.getLogger('memberships_export.x').warning('event=%s', 'y' * 3000)"
    with os.fdopen(reading, "rb", buffering=0) as lines:
        subprocess.run([sys.executable, "-c", program], stderr=writing, check=True)
        os.close(writing)
        assert lines.read(4096).endswith(b"y\n")
        assert lines.read(4096) == b""
