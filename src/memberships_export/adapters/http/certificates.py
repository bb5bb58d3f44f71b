"""The certificates that this machine trusts, read once and not by each connection: that takes 17 ms of a processor.

Whoever changes them starts the service anew, as with all that it reads at its start.
"""

import ssl
from functools import cache

from urllib3.util.ssl_ import create_urllib3_context


def trusting_context() -> ssl.SSLContext:
    """Return what verifies the other side, for all connections. It is read where OpenSSL looks now: SSL_CERT_FILE."""
    return _context(ssl.get_default_verify_paths())


@cache
def _context(_: ssl.DefaultVerifyPaths) -> ssl.SSLContext:
    context = create_urllib3_context()
    context.load_default_certs()
    return context
