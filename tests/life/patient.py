"""The real command line, whose processes get all the time they need to stop: for what is true of every clean end.

Without it, a machine that has much else to do makes a clean end an unclean one: five seconds are over.
"""

from memberships_export.entrypoints.cli.main import run
from memberships_export.entrypoints.cli.serve import api_thread, supervisor
from memberships_export.entrypoints.worker import Worker
from rig.waiting import PATIENCE_SECONDS

PATIENT = ("-m", "tests.life.patient")


def main() -> None:
    stop = Worker.stop

    def stop_patiently(self: Worker, seconds: float) -> bool:
        return stop(self, max(seconds, PATIENCE_SECONDS))

    Worker.stop = stop_patiently  # type: ignore[method-assign]
    api_thread._ANSWER_SECONDS = int(PATIENCE_SECONDS)  # noqa: SLF001
    supervisor._STOP_SECONDS = dict.fromkeys(supervisor._STOP_SECONDS, PATIENCE_SECONDS)  # noqa: SLF001
    run()


if __name__ == "__main__":
    main()
