"""What a visit of the sweeper takes of the processor: in a process of its own, to count the threads of libraries too.

It does what SweepExports does with the settings of the environment, eight days from now, one export after the other.
"""

import logging
import os
from dataclasses import replace
from datetime import timedelta
from time import process_time

from memberships_export.bootstrap.aws import function_services
from memberships_export.bootstrap.parts import utc_now
from memberships_export.domain.export.sweeping import SweepAction
from memberships_export.settings import read_settings


def main() -> None:
    """Print the seconds of one visit that deletes files."""
    _, services = function_services(read_settings(os.environ), os.environ)
    logging.basicConfig(level=logging.INFO)
    services.sweep()  # nothing is due yet: it makes the client
    sweep = replace(services.sweep, clock=lambda: utc_now() + timedelta(days=8))
    begun = process_time()
    taken = sweep()
    print((process_time() - begun) / taken[SweepAction.DELETE_FILES])


if __name__ == "__main__":
    main()
