"""This machine's own network."""

import socket


def free_port() -> int:
    """Return a port where nobody listens, for a process that has to come back to the same one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
