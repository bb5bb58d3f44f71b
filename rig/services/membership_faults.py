"""What the fake memberships API can do wrong, by name. FAULTS spoil the transport, PAGE_FAULTS the content."""

import gzip
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

Page = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One call for a page, as it was received."""

    user_id: str
    cursor: str | None
    limit: int


class Wire(Protocol):
    """The connection a fault plays with."""

    @property
    def closing(self) -> threading.Event:
        """Set when the server stops."""
        ...

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        ...

    def answer(self, body: bytes, status: int = 200, header: str = "", length: int | None = None) -> None:
        """Send one answer. `header` is "Name=value"; `length` is what Content-Length says, if not the truth."""
        ...

    def chunked(self) -> None:
        """Begin an answer whose length is not announced."""
        ...

    def reset(self) -> None:
        """End the connection with RST instead of FIN."""
        ...


# --- Faults of the transport ------------------------------------------------------------------------------------------


def _hang(wire: Wire, _body: bytes) -> None:
    wire.closing.wait()


def _hang_mid_body(wire: Wire, body: bytes) -> None:
    wire.answer(body[: len(body) // 2], length=len(body))
    wire.closing.wait()


def _slow_head(wire: Wire, _body: bytes) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    while not wire.closing.wait(0.01):
        wire.send(b".")


def _slow_status(wire: Wire, _body: bytes) -> None:
    wire.send(b"HTTP/1.1 200 ")
    while not wire.closing.wait(0.01):
        wire.send(b".")


def _slow_loris(wire: Wire, body: bytes) -> None:
    wire.answer(b"", length=len(body))
    for byte in body:
        if wire.closing.wait(0.01):
            break
        wire.send(bytes([byte]))


def _slow_loris_chunked(wire: Wire, body: bytes) -> None:
    wire.chunked()
    for byte in body:
        if wire.closing.wait(0.01):
            break
        wire.send(b"1\r\n%c\r\n" % byte)


def _reset_at_once(wire: Wire, _body: bytes) -> None:
    wire.reset()


def _hang_up(_wire: Wire, _body: bytes) -> None:
    """End the connection without a word."""


def _reset_mid_body(wire: Wire, body: bytes) -> None:
    wire.answer(body[: len(body) // 2], length=len(body))
    wire.reset()


def _short_body(wire: Wire, body: bytes) -> None:
    wire.answer(body[: len(body) // 2], length=len(body))


def _truncated_json(wire: Wire, body: bytes) -> None:
    wire.answer(body[: body.rindex(b'"total"')])


def _cut_chunks(wire: Wire, body: bytes) -> None:
    wire.chunked()
    wire.send(b"%x\r\n%s\r\n" % (len(body), body))  # the closing chunk never comes


def _cut_behind_brace(wire: Wire, body: bytes) -> None:
    wire.answer(body[: body.rindex(b"}", 0, -1) + 1], length=len(body))


def _cut_chunk_behind_brace(wire: Wire, body: bytes) -> None:
    cut = body[: body.rindex(b"}", 0, -1) + 1]
    wire.chunked()
    wire.send(b"%x\r\n%s\r\n" % (len(cut), cut))


def _ends_with_connection(wire: Wire, body: bytes) -> None:
    wire.send(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + body)


def _cut_without_length(wire: Wire, body: bytes) -> None:
    _ends_with_connection(wire, body[: body.rindex(b"}", 0, -1) + 1])


def _empty(wire: Wire, _body: bytes) -> None:
    wire.answer(b"")


def _byte_order_mark(wire: Wire, body: bytes) -> None:
    wire.answer(b"\xef\xbb\xbf" + body)


def _blank_lines(wire: Wire, body: bytes) -> None:
    wire.answer(b"\r\n" * 70 + body + b"\n" * 70)


def _named_charset(wire: Wire, body: bytes) -> None:
    wire.answer(body, header="Content-Encoding=UTF-8")


def _array(wire: Wire, body: bytes) -> None:
    wire.answer(b"[%s]" % body)


def _bad_chunks(wire: Wire, body: bytes) -> None:
    wire.chunked()
    wire.send(b"zz\r\n%s\r\n0\r\n\r\n" % body)


def _chunked(wire: Wire, body: bytes) -> None:
    wire.chunked()
    for start in range(0, len(body), 1000):
        piece = body[start : start + 1000]
        wire.send(b"%x\r\n%s\r\n" % (len(piece), piece))
    wire.send(b"0\r\n\r\n")


def _over_limit(wire: Wire, _body: bytes) -> None:
    wire.chunked()
    while not wire.closing.is_set():
        wire.send(b"10000\r\n%s\r\n" % (b" " * 0x10000))


def _announced_over_limit(wire: Wire, body: bytes) -> None:
    wire.answer(body, length=10**12)


def _gzip_bomb(wire: Wire, _body: bytes) -> None:
    wire.answer(gzip.compress(b" " * 10_000_000), header="Content-Encoding=gzip")


def _html(wire: Wire, _body: bytes) -> None:
    wire.answer(b"<html><body>We are down for maintenance. canary@example.org</body></html>")


def _redirect(wire: Wire, _body: bytes) -> None:
    wire.answer(b"", 307, "Location=http://169.254.169.254/latest/meta-data/")


def _garbage(wire: Wire, _body: bytes) -> None:
    wire.send(b"SSH-2.0-OpenSSH_9.6\r\n")


FAULTS: dict[str, Callable[[Wire, bytes], None]] = {
    "hang": _hang,
    "hang-mid-body": _hang_mid_body,
    "slow-head": _slow_head,
    "slow-status": _slow_status,
    "slow-loris": _slow_loris,
    "slow-loris-chunked": _slow_loris_chunked,
    "reset": _reset_at_once,
    "hang-up": _hang_up,
    "reset-mid-body": _reset_mid_body,
    "short-body": _short_body,
    "truncated-json": _truncated_json,
    "cut-chunks": _cut_chunks,
    "cut-behind-brace": _cut_behind_brace,
    "cut-chunk-behind-brace": _cut_chunk_behind_brace,
    "ends-with-connection": _ends_with_connection,
    "cut-without-length": _cut_without_length,
    "empty": _empty,
    "byte-order-mark": _byte_order_mark,
    "blank-lines": _blank_lines,
    "named-charset": _named_charset,
    "array": _array,
    "bad-chunks": _bad_chunks,
    "chunked": _chunked,
    "over-limit": _over_limit,
    "announced-over-limit": _announced_over_limit,
    "gzip-bomb": _gzip_bomb,
    "html": _html,
    "redirect": _redirect,
    "garbage": _garbage,
}

# --- Faults of the content --------------------------------------------------------------------------------------------


def _foreign_row(page: Page, call: Call) -> Page:
    return page | {"items": [*page["items"][:-1], page["items"][-1] | {"userId": f"not-{call.user_id}"}]}


def _shrinking(page: Page, _call: Call) -> Page:
    """Send one row where more were asked for. The contract allows it."""
    first, bound = page["items"][0]["id"], page["total"]
    return page | {"items": page["items"][:1], "nextCursor": f"{first}-{bound}" if first < bound else None}


def _too_many(page: Page, call: Call) -> Page:
    """Go on for ever: each page brings rows, and a cursor to more of them."""
    after = int(call.cursor.partition("-")[0]) if call.cursor else 0
    items = [page["items"][0] | {"id": after + number} for number in range(1, call.limit + 1)]
    return page | {"items": items, "nextCursor": f"{after + call.limit}-{after + 10**6}"}


def _lone_surrogate(page: Page, _call: Call) -> Page:
    return page | {"items": [*page["items"][:-1], page["items"][-1] | {"name": "canary \ud83d"}]}


PAGE_FAULTS: dict[str, Callable[[Page, Call], Page]] = {
    "looping-cursor": lambda page, _: page | {"nextCursor": f"0-{page['total']}"},
    "repeated-cursor": lambda page, call: page | {"nextCursor": call.cursor or f"0-{page['total']}"},
    "duplicate-ids": lambda page, _: page | {"items": [*page["items"], page["items"][-1]]},
    "foreign-row": _foreign_row,
    "wrong-total": lambda page, _: page | {"total": page["total"] + 1},
    "shrinking": _shrinking,
    "empty-with-cursor": lambda page, _: page | {"items": [], "nextCursor": f"0-{page['total']}"},
    "too-many": _too_many,
    "long-cursor": lambda page, _: page | {"nextCursor": "x" * 5_000_000},
    "lone-surrogate": _lone_surrogate,
    "no-items": lambda page, _: {"data": page["items"]},
}
