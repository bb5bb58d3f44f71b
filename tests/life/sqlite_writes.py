"""What SQLite writes and syncs, seen by standing between it and the operating system: a VFS around its own.

Only the functions that change a file are replaced. Each does the same as before and tells a witness; but nothing waits
for the disk, since the power of the machine that runs the tests stays on. The layouts are those of
https://www.sqlite.org/c3ref/vfs.html and https://www.sqlite.org/c3ref/io_methods.html.
"""

import _sqlite3
import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int64, c_void_p
from typing import Any, ClassVar, Protocol

_OK = 0
_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))  # a pointer: SQLite keeps the name
_DELETE = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
_WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC = CFUNCTYPE(c_int, c_void_p, c_int)

_STAY: list["_Between"] = []  # a connection that a failed test leaves open is closed through it later


class _Vfs(ctypes.Structure):
    _fields_: ClassVar = [
        ("version", c_int),
        ("size_of_file", c_int),
        ("longest_path", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", _OPEN),
        ("delete", _DELETE),
        ("others", c_void_p * 14),
    ]


class _Methods(ctypes.Structure):
    _fields_: ClassVar = [
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", _WRITE),
        ("truncate", _TRUNCATE),
        ("sync", _SYNC),
        ("others", c_void_p * 13),
    ]


class Witness(Protocol):
    """Is told of each change once it was done."""

    def opened(self, path: str) -> None: ...
    def deleted(self, path: str) -> None: ...
    def wrote(self, path: str, offset: int, data: bytes) -> None: ...
    def cut(self, path: str, size: int) -> None: ...
    def synced(self, path: str) -> None: ...


@contextmanager
def witnessed(witness: Witness) -> Iterator[None]:
    """Tell of all files that SQLite opens in this block. All must be closed when it ends."""
    library = ctypes.CDLL(_sqlite3.__file__)
    library.sqlite3_vfs_find.restype = POINTER(_Vfs)
    usual = library.sqlite3_vfs_find(None)
    between = _Between(usual, witness)
    _STAY.append(between)
    assert library.sqlite3_vfs_register(ctypes.byref(between.vfs), 1) == _OK
    try:
        yield
    finally:
        library.sqlite3_vfs_unregister(ctypes.byref(between.vfs))
        library.sqlite3_vfs_register(usual, 1)


class _Between:
    def __init__(self, usual: Any, witness: Witness) -> None:  # noqa: ANN401  (a pointer)
        self._usual, self._witness = usual, witness
        self._paths: dict[int, str] = {}
        self._methods: dict[int, _Methods] = {}
        self.vfs = _Vfs.from_buffer_copy(usual.contents)
        self.vfs.name, self.vfs.next = b"witnessed", None
        self.vfs.open, self.vfs.delete = _OPEN(self._open), _DELETE(self._delete)

    def _open(self, _: int, name: int | None, file: int, flags: int, found: Any) -> int:  # noqa: ANN401  (a pointer)
        answer: int = self._usual.contents.open(ctypes.addressof(self._usual.contents), name, file, flags, found)
        if answer == _OK and name is not None:
            path = self._paths[file] = ctypes.string_at(name).decode()
            methods = c_void_p.from_address(file)
            methods.value = ctypes.addressof(self._around(methods.value or 0))
            self._witness.opened(path)
        return answer

    def _delete(self, _: int, name: bytes, sync_folder: int) -> int:
        answer: int = self._usual.contents.delete(ctypes.addressof(self._usual.contents), name, sync_folder)
        if answer == _OK:
            self._witness.deleted(name.decode())
        return answer

    def _around(self, address: int) -> _Methods:
        if address not in self._methods:
            usual = _Methods.from_address(address)
            ours = self._methods[address] = _Methods.from_buffer_copy(usual)
            ours.write = _WRITE(self._told(usual.write, self._wrote))
            ours.truncate = _TRUNCATE(self._told(usual.truncate, self._witness.cut))
            ours.sync = _SYNC(self._synced)
        return self._methods[address]

    def _wrote(self, path: str, data: int, length: int, offset: int) -> None:
        self._witness.wrote(path, offset, ctypes.string_at(data, length))

    def _told(self, usual: Callable[..., int], tell: Callable[..., None]) -> Callable[..., int]:
        def changed(file: int, *values: int) -> int:
            answer = usual(file, *values)
            if answer == _OK:
                tell(self._paths[file], *values)
            return answer

        return changed

    def _synced(self, file: int, flags: int) -> int:  # noqa: ARG002  (the form of xSync)
        self._witness.synced(self._paths[file])
        return _OK
