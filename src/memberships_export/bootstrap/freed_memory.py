"""Freed memory is kept for the next page: docs/decisions/0086-freed-memory-is-kept.md."""

import ctypes

_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # M_… in malloc.h of glibc
_PIECE = 8 * 2**20  # bytes; what is larger goes back to the system as before
_KEPT = 32 * 2**20  # bytes of each heap; a thread may have one of its own


def keep_freed_memory() -> None:
    """Tell malloc to keep what is freed, up to a bound. Does nothing where it is not that of glibc."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_MMAP_THRESHOLD, _PIECE)
        mallopt(_TRIM_THRESHOLD, _KEPT)
