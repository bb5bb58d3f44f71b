"""What disks, copies and mistakes do to a stored file."""

from collections.abc import Callable, Mapping

Damage = Callable[[bytes], bytes]


def flipped(place: int, bit: int = 0) -> Damage:
    """Flip one bit of the byte at this place; below 0 it is counted from the end."""

    def flip(content: bytes) -> bytes:
        changed = bytearray(content)
        changed[place] ^= 1 << bit
        return bytes(changed)

    return flip


DAMAGES: Mapping[str, Damage] = {
    "first byte": flipped(0),
    "a byte near the beginning": flipped(30),
    "a byte in the middle": lambda content: flipped(len(content) // 2)(content),
    "last byte": flipped(-1),
    "cut in half": lambda content: content[: len(content) // 2],
    "last byte gone": lambda content: content[:-1],
    "empty": lambda _: b"",
    "one byte too many": lambda content: content + b"\n",
    "zeros": lambda content: bytes(len(content)),
    "garbage": lambda content: bytes(byte ^ 0xFF for byte in content),
}
