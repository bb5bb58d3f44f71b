"""Each situation of `make drill` is really there, and nothing is left of it."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from rig.drill.exercise import Exercise, exercise
from rig.drill.machine import NoSmallDisk
from rig.drill.situations import SITUATIONS
from rig.waiting import PATIENCE_SECONDS, until

ROOT = Path(__file__).parents[2]


def state_of(pid: int) -> str:
    """Return the letter that ps shows for a process."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]


def letters(begun: Exercise) -> str:
    return begun.service.type("dlq", "list").stdout


def own(begun: Exercise, user: str = "user-1") -> list[Mapping[str, object]]:
    """Return the exports of a member, as the member sees them."""
    exports = begun.service.member(user).ask("GET", "/memberships/exports")["items"]
    return [begun.service.member(user).status(export["exportId"]) for export in exports]


def waits_for(code: str) -> Callable[[Exercise], bool]:
    return lambda begun: [code_of(export["trouble"]) for export in own(begun)] == [code]


def code_of(trouble: object) -> object:
    """Return what it waits for. It waits for nothing while it is tried again."""
    return trouble["code"] if isinstance(trouble, dict) else None


def stays_down(begun: Exercise) -> bool:
    service = begun.service
    return service.process is None and not service.data.exists() and (service.folder / "backup/exports.db").exists()


def starts_in_vain(begun: Exercise) -> bool:
    return "was written by a newer version" in begun.service.log() and not begun.service.member().answers()


def is_asked_all_the_time(begun: Exercise) -> bool:
    first = begun.service.log().count("event=requested")
    begun.service.wait_for(f"member-{first + 2}", "event=requested")
    return first > 0 and begun.service.member().answers()


THERE: Mapping[str, Callable[[Exercise], bool]] = {
    "api-401": waits_for("memberships_refused"),
    "foreign-rows": lambda begun: "foreign_rows" in letters(begun),
    "mail-credits": waits_for("mail_refused_for_now"),
    "silent-send": waits_for("delivery_unconfirmed"),
    "disk-full": lambda begun: begun.service.member().ask("GET", "/readyz")["status_code"] == 503,
    "poison-message": lambda begun: "invalid_message" in letters(begun),
    "stopped-worker": lambda begun: state_of(begun.service.pid) == "T",
    "bounced": lambda begun: [export["delivery"]["status"] for export in own(begun)] == ["bounced"],  # type: ignore[index]
    "got-it-twice": lambda begun: len(begun.service.mail.accepted) == 2,
    "restore": stays_down,
    "rotation": is_asked_all_the_time,
    "upgrade": starts_in_vain,
    "move": lambda begun: (begun.service.folder / "new-machine/service.env").exists(),
    "erase": lambda begun: (len(own(begun)), len(own(begun, "user-2"))) == (2, 1),
    "who-downloaded": lambda begun: [export["status"] for export in own(begun)] == ["completed"],
    "graphs": lambda begun: begun.service.log().count("event=failed") == 1,
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_situation_is_there_and_nothing_is_left_of_it(name: str) -> None:
    try:
        with exercise(name) as begun:
            seen = THERE[name]  # what a line of the log tells comes true a moment later
            until(lambda: seen(begun), name, progress=begun.service.log, tell=begun.service.log)
            assert name not in str(begun.service.folder), "the folder would tell what it is"
            folder, process = begun.service.folder, begun.service.process
    except NoSmallDisk as error:
        pytest.skip(str(error))
    assert not folder.exists()
    assert process is None or process.poll() is not None


def test_there_are_the_sixteen_situations_of_an_operator() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rig.drill", "--list"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == list(THERE)
    assert len(THERE) == 16


def test_an_exercise_ends_with_enter_and_says_what_it_was() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rig.drill", "poison-message"],
        cwd=ROOT,
        input="\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )

    seen, _, told = done.stdout.partition("Enter ends the exercise.")
    assert "event=dead_letter" in seen
    assert "invalid_message" not in seen
    assert "docs/runbook.md, invalid_message" in told
    (folder,) = re.findall(r"cd (\S+) &&", seen)
    assert not Path(folder).exists()


def test_an_exercise_whose_terminal_is_closed_leaves_nothing_behind() -> None:
    command = [sys.executable, "-m", "rig.drill", "foreign-rows"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as drill:
        assert drill.stdout
        lines = iter(drill.stdout.readline, "")
        (folder,) = re.findall(r"cd (\S+) &&", next(line for line in lines if "In another terminal" in line))
        service = int((Path(folder) / "serve.pid").read_text())
        drill.send_signal(signal.SIGHUP)
        drill.communicate(timeout=PATIENCE_SECONDS)

    assert not Path(folder).exists()
    assert not Path(f"/proc/{service}").exists()


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_is_told_at_the_end_leads_to_a_section_of_the_runbook(name: str) -> None:
    (section,) = re.findall(r"docs/runbook\.md, ([^.]+)\.", SITUATIONS[name].answer)

    assert re.search(rf"^#+ {re.escape(section)}$", (ROOT / "docs/runbook.md").read_text("utf-8"), re.MULTILINE)
