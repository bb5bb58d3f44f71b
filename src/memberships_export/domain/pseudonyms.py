"""What is kept of who somebody is, and of where they are: enough to find it again, too little to know them by."""

import hmac
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

_KEPT_BITS = {4: 24, 6: 48}


def pseudonym(user_id: str, key: str) -> str:
    """Return a keyed hash of a user id: the same for the same user and key. Without the key nobody can guess it."""
    return hmac.digest(key.encode(), f"user:{user_id}".encode(), sha256).hex()[:32]


def shortened_ip(address: str) -> str:
    """Return the network of an IP address: `192.0.2.0/24`, `2001:db8:1::/48`; empty for what is none.

    An IPv4 address in the form of IPv6 (`::ffff:192.0.2.7`) is one of IPv4.
    """
    try:
        found = ip_address(address.partition("%")[0])  # behind it, the zone of a link-local address
    except ValueError:
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return str(ip_network((found, _KEPT_BITS[found.version]), strict=False))
