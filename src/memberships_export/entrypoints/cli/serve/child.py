"""What a new child does before and after its work: what is the parent's, it lets go of."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from memberships_export.domain.errors import StorageUnavailable
from memberships_export.entrypoints.cli.exits import CommandError, ExitCode
from memberships_export.entrypoints.cli.failures import failure_of
from memberships_export.entrypoints.cli.output import complain
from memberships_export.settings import SettingsError

log = logging.getLogger(__name__)
HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


def fork(run: Callable[[], None], name: str) -> int:
    """Let a child run, and return its process id. Only for a process without threads: a child has one.

    Until the child has its own way with signals none arrives: it would write into the pipe of its parent. SIGTERM waits
    until the child listens to it (`run_until_told`): one that is starting does not die of it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    try:
        pid = os.fork()
        if pid == 0:
            _live(run, name)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)


def _live(run: Callable[[], None], name: str) -> NoReturn:
    status: int = ExitCode.FAILED
    try:
        _let_go_of_signals()
        _show_name(name)
        run()
        status = ExitCode.DONE
    except (CommandError, SettingsError, StorageUnavailable) as error:
        failure = failure_of(error)
        complain(failure.message)
        status = failure.exit_code
    except BaseException:
        log.exception("event=internal_error")
    finally:
        leave(status)


def leave(status: int) -> NoReturn:
    """End without waiting for threads that hang: what they leave undone is on the record."""
    logging.shutdown()
    with suppress(OSError):
        sys.stdout.flush()
    os._exit(status)


def _let_go_of_signals() -> None:
    """Leave signals to the whole group to the parent, which then ends the children in their order."""
    signal.set_wakeup_fd(-1)
    for number in HANDLED:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, _ignore)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGCHLD})


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Do nothing; unlike SIG_IGN, programs that the child starts do not inherit it."""


def _show_name(name: str) -> None:
    """Let `ps -o comm`, `top` and `pstree` tell the children apart."""
    with suppress(OSError):  # there is no such file, or it is not ours to write
        Path("/proc/self/comm").write_text(name, encoding="utf-8")
