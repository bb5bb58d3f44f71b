"""huey: `python -m bench.rivals.huey_jobs fill DATABASE JOBS`, or `work DATABASE` until it is told to stop."""

import json
import sys
from pathlib import Path

from huey import SqliteHuey

from bench.rivals.job_body import export


def main(verb: str, database: str, *more: str) -> None:
    """Fill the queue, or work it off with four processes. Each change of the queue is durable (`fsync`)."""
    huey = SqliteHuey(filename=database, fsync=True, results=False)
    task = huey.task()(export)
    if verb == "work":
        huey.create_consumer(workers=4, worker_type="process").run()
        return
    for arguments in json.loads(Path(*more).read_text()):
        task(*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
