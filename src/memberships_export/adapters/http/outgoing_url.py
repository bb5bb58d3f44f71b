"""Which URLs from the configuration this service is willing to call."""

import ipaddress
import socket
from collections.abc import Container
from urllib.parse import SplitResult, urlsplit

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def checked_url(name: str, value: str, *, query_allowed: bool = False, plain_http: Container[str] = ()) -> SplitResult:
    """Split a configured URL; ValueError says what `name` expects.

    Only https, and http to this very machine: bearer tokens must not cross a network in the clear. `plain_http` has
    the hosts, in lower case, for which an operator decided otherwise. Link-local addresses are refused because they
    hand out the credentials of a cloud machine.
    """
    try:
        url = urlsplit(value)
        _ = url.port, (url.hostname or "").encode("idna")  # both raise ValueError when they cannot be used
    except ValueError as error:
        raise _refusal(name, value, f"is not a URL ({error})") from error
    if problem := _problem(url, value, query_allowed=query_allowed) or _danger(url, plain_http):
        raise _refusal(name, value, problem)
    return url


def _problem(url: SplitResult, value: str, *, query_allowed: bool) -> str | None:
    if not value.isascii() or not value.isprintable() or set(value) & set(' \\"<>') or not url.hostname:
        return "is not a plain absolute URL"
    if url.username is not None or url.password is not None:
        return "holds a user name or password"
    if url.fragment or (url.query and not query_allowed):
        return "holds a query or a fragment"
    return None


def _danger(url: SplitResult, plain_http: Container[str]) -> str | None:
    scheme, host = url.scheme, url.hostname or ""
    address = _address(host)
    if address and address.is_link_local:
        return "points to a link-local address"
    if scheme == "http" and not _is_this_machine(host, address) and host not in plain_http:
        return "uses plain http to another machine"
    return None if scheme in {"http", "https"} else "does not start with https://"


def _is_this_machine(host: str, address: _Address | None) -> bool:
    return host == "localhost" or (address is not None and address.is_loopback)


def _address(host: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _unusual_address(host)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _unusual_address(host: str) -> _Address | None:
    """Read `2852039166` and `0xa9.254.43518` the way the resolver of the system does."""
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
    except OSError:
        return None


def _refusal(name: str, value: str, problem: str) -> ValueError:
    shown = value if "@" not in value else "(hidden: it may hold a password)"
    return ValueError(
        f"{name}: {shown!r} {problem}. Expected: https://host[:port][/path], without user name, query or fragment. "
        "Plain http is for localhost, 127.0.0.1 and [::1] only, as a secret travels with each call; for a host of your "
        "private network put TLS in front of it, or name it in MEMBERSHIPS_EXPORT_PLAIN_HTTP_HOSTS."
    )
