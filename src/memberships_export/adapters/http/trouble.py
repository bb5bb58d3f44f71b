"""What went wrong on the wire, in words of our own."""

import ssl

from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)


def trouble(error: HTTPError, connect_seconds: float, read_seconds: float) -> str:
    """Say what an error of urllib3 means. Never with its text: it may quote the URL or the body."""
    match error:
        case NameResolutionError():
            return "cannot be found: its host name does not resolve"
        case NewConnectionError():  # a ConnectTimeoutError to urllib3, so it comes first
            return "does not accept connections"
        case ConnectTimeoutError():
            return f"did not accept a connection within {connect_seconds:g} seconds"
        case ReadTimeoutError():
            return f"kept us waiting for more than {read_seconds:g} seconds"
        case SSLError():
            return f"could not be reached safely: {bad_certificate(error) or 'the TLS handshake failed'}"
        case _:
            return "broke off its answer"


def bad_certificate(error: HTTPError) -> str | None:
    """Return what is wrong with the certificate of the other side, None when it is something else."""
    cause = error.args[0] if isinstance(error, SSLError) and error.args else None
    if not isinstance(cause, ssl.SSLCertVerificationError):
        return None
    return f"{cause.verify_message}, check its certificate"
