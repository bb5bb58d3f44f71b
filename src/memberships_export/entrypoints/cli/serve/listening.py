"""The sockets of the API: taken before anything else starts, so that a port in use is told at once."""

import errno
import ipaddress
import socket
from dataclasses import dataclass

from memberships_export.entrypoints.cli.exits import CommandError, WrongUsage
from memberships_export.settings import Settings, variable

BACKLOG = 2048  # connections that the kernel keeps until they are accepted


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the API listens. `local_url` is the way to it on this machine, `url` the one to show to people."""

    sockets: list[socket.socket]
    url: str
    local_url: str

    @property
    def port(self) -> int:
        """The port that was taken: of port 0, the one that the system chose."""
        return int(self.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Leave the sockets to the other processes that have them."""
        for one in self.sockets:
            one.close()


def listen(settings: Settings) -> Listening:
    """Take the port of the settings, 0: a free one. Raises CommandError when it is taken, WrongUsage for a bad host."""
    bound = _bind(settings.host, settings.port)
    host, port = bound.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        local = _url("::1" if bound.family == socket.AF_INET6 else "127.0.0.1", port)
        return Listening([bound], local, local)
    if ipaddress.ip_address(host).is_loopback:
        return Listening([bound], _url(host, port), _url(host, port))
    # The worker's tokens travel in the clear only on this machine, so it gets a way in of its own.
    inner = _bind("127.0.0.1", 0)
    return Listening([bound, inner], _url(host, port), _url("127.0.0.1", inner.getsockname()[1]))


def local_url(settings: Settings) -> str:
    """Return where an API with these settings can be reached on this machine."""
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (addresses to be replaced, nothing listens there)
    return _url(anywhere.get(settings.host, settings.host), settings.port)


def _bind(host: str, port: int) -> socket.socket:
    try:
        return _bound(host, port)
    except UnicodeError as error:  # no host name has such a form
        raise _wrong_host(host) from error
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise _wrong_host(host) from error
        another = f"choose another port with --port or {variable('port')}"
        fix = f"Stop what listens there, or {another} (0 takes a free one)."
        if error.errno == errno.EACCES:
            fix = f"Ports below 1024 are for root: {another}, and let a proxy listen on {port}."
        raise CommandError(f"Cannot listen on {host} port {port}: {error.strerror}. {fix}") from error


def _wrong_host(host: str) -> WrongUsage:
    return WrongUsage(f"--host ({variable('host')}) is {host!r}, but must be an address of this machine.")


def _bound(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart need not wait for old connections
        bound.bind(address)
        bound.listen(BACKLOG)  # from here on the port is ours; bind alone does not keep others from listening
    except OSError:
        bound.close()
        raise
    return bound


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
