"""Cursors: where the next page starts, signed so that a client can only hand them back as they are."""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

VERSION = 1
LIFETIME = timedelta(days=7)

_SIGNATURE_BYTES = hashlib.sha256().digest_size
_START_AGAIN = "start again without a cursor"


class InvalidCursor(Exception):
    """A cursor that cannot be followed; the text says why and what to do."""


class Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A keyset cursor: the last id sent, and what belonged to the listing when its first page was read."""

    user_id: str
    state: str | None
    after: int
    bound: int
    total: int
    issued_at: int
    """Seconds since 1970."""
    version: int = VERSION


def write_cursor(cursor: Cursor, key: bytes) -> str:
    """Turn a cursor into opaque, URL-safe text."""
    payload = msgspec.json.encode(cursor)
    return _to_text(payload + _signature(payload, key))


def read_cursor(text: str, key: bytes) -> Cursor:
    """Turn the text back into the cursor. Raises InvalidCursor unless it is exactly what write_cursor made."""
    sealed = _from_text(text)
    payload, signature = sealed[:-_SIGNATURE_BYTES], sealed[-_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(payload, key)):
        raise InvalidCursor(f"The cursor was changed or is not from this API: {_START_AGAIN}.")
    try:
        return msgspec.json.decode(payload, type=Cursor)
    except msgspec.DecodeError as error:
        raise InvalidCursor(f"The cursor is of another version of this API: {_START_AGAIN}.") from error


def warm_up() -> None:
    """Decode the type of cursors once. Call it before threads do: docs/msgspec-first-decode.md."""
    with suppress(msgspec.ValidationError):
        msgspec.json.decode(b"[]", type=Cursor)


def check_cursor(cursor: Cursor, user_id: str, state: str | None, now: datetime) -> None:
    """Raise InvalidCursor when it is of another version, another listing, or too old."""
    if cursor.version != VERSION:
        raise InvalidCursor(f"The cursor has version {cursor.version}, this API writes {VERSION}: {_START_AGAIN}.")
    if cursor.user_id != user_id:
        raise InvalidCursor(f"The cursor belongs to another user: {_START_AGAIN}.")
    if cursor.state != state:
        raise InvalidCursor(f"The cursor was made with another state filter: keep the filter, or {_START_AGAIN}.")
    if now.timestamp() - cursor.issued_at > LIFETIME.total_seconds():
        raise InvalidCursor(f"The cursor is older than {LIFETIME.days} days: {_START_AGAIN}.")


def _signature(payload: bytes, key: bytes) -> bytes:
    return hmac.digest(key, payload, hashlib.sha256)


def _to_text(sealed: bytes) -> str:
    return urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")


def _from_text(text: str) -> bytes:
    try:
        sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise InvalidCursor(f"The cursor is not one of this API: {_START_AGAIN}.") from error
    # Base64 has spare bits and Python skips foreign characters, so several texts give the same bytes.
    if _to_text(sealed) != text:
        raise InvalidCursor(f"The cursor was changed: {_START_AGAIN}.")
    return sealed
