"""`make drill`: practise what to do at 3 am, on a service of its own on this machine.

One of sixteen situations comes about. You read what a person on call reads, and no more; what to do is in the docs.
Enter or Ctrl-C ends it: you are told what it was, and nothing is left.
"""

import argparse
import random
import signal
import sys
from contextlib import suppress

from rig.drill.exercise import Exercise, exercise
from rig.drill.machine import NoSmallDisk
from rig.drill.situations import SITUATIONS


def main() -> None:
    """Choose a situation, bring it about, wait, clean up."""
    parser = argparse.ArgumentParser(
        prog="make drill", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "name", nargs="?", choices=tuple(SITUATIONS), metavar="NAME", help="without one, chance chooses"
    )
    parser.add_argument("--list", action="store_true", help="list the names")
    options = parser.parse_args()
    if options.list:
        say("\n".join(SITUATIONS))
        return
    for number in (signal.SIGTERM, signal.SIGHUP):  # also a terminal that is closed leaves nothing behind
        signal.signal(number, signal.default_int_handler)
    name = options.name or random.choice(tuple(SITUATIONS))  # noqa: S311  (no secret)
    say("Something is about to go wrong ...")
    with suppress(KeyboardInterrupt):
        _practise(name)
    say("The service is gone, and all that was in its folder.")


def _practise(name: str) -> None:
    try:
        with exercise(name) as begun:
            say(_told(begun))
            with suppress(KeyboardInterrupt, EOFError):
                input()
            say(f"It was {name}. {begun.situation.answer}")
    except NoSmallDisk as error:
        sys.exit(str(error))


def _told(begun: Exercise) -> str:
    folder = begun.service.folder
    missing = [f"Cannot be practised yet: there is no command `{command}`." for command in begun.missing]
    return "\n".join(
        [
            "",
            begun.seen,
            "",
            f"In another terminal:  cd {folder} && . ./service.env",
            "There: service.env (settings), serve.log (log), data (data folder), serve.pid (process). When the process",
            "ends it starts again by itself, with the settings as they are then; not while there is a file `stopped`:",
            "touch stopped && kill $(cat serve.pid)",
            *missing,
            "",
            "Enter ends the exercise.",
        ]
    )


def say(text: str) -> None:
    """Write at once, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
