"""Celery: `python -m bench.rivals.celery_jobs fill SOCKET JOBS`, or `work SOCKET` until it is told to stop."""

import json
import sys
from pathlib import Path
from typing import Any

from celery import Celery

from bench.rivals.job_body import export


def application(socket: str) -> Any:  # noqa: ANN401  (Celery is not installed where types are checked)
    """Make the application with its one task, acknowledged when it is done."""
    app = Celery("rivals", broker=f"redis+socket://{socket}", set_as_current=True)
    app.conf.update(task_acks_late=True, task_ignore_result=True, broker_connection_retry_on_startup=True)
    app.task(export, name="export")
    return app


def main(verb: str, socket: str, *more: str) -> None:
    """Fill the queue, or work it off with four processes."""
    app = application(socket)
    if verb == "work":
        app.worker_main(["worker", "--pool=prefork", "--concurrency=4", "--loglevel=warning"])
        return
    with app.connection_for_write() as connection:
        for arguments in json.loads(Path(*more).read_text()):
            app.tasks["export"].apply_async(arguments, connection=connection)


if __name__ == "__main__":
    main(*sys.argv[1:])
