"""RQ: `python -m bench.rivals.rq_jobs fill SOCKET JOBS`, or `simple|fork SOCKET` until the queue is empty."""

import json
import sys
from pathlib import Path

from redis import Redis
from rq import Queue, SimpleWorker, Worker

from bench.rivals.job_body import export


def fill(redis: Redis, jobs: str) -> None:
    """Queue all jobs of the file: a list of arguments each."""
    arguments = json.loads(Path(jobs).read_text())
    Queue(connection=redis).enqueue_many([Queue.prepare_data(export, args=tuple(one)) for one in arguments])


def main(verb: str, socket: str, *more: str) -> None:
    """Fill the queue, or work it off: in this process, or with a fork for each job."""
    redis = Redis(unix_socket_path=socket)
    if verb == "fill":
        fill(redis, *more)
        return
    worker = {"simple": SimpleWorker, "fork": Worker}[verb]
    worker([Queue(connection=redis)], connection=redis).work(burst=True, logging_level="WARNING")


if __name__ == "__main__":
    main(*sys.argv[1:])
