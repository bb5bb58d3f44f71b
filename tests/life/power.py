"""A disk that remembers what it was told, and in which state a power cut could leave it at each moment.

What was written is safe once its file was synced, a name once its folder was; of everything else any part may be there.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.life.sqlite_writes import witnessed


@dataclass(frozen=True, slots=True)
class Wrote:
    """Bytes of a file."""

    file: int
    offset: int
    data: bytes

    def half(self) -> "Wrote":
        return replace(self, data=self.data[: len(self.data) // 2])


@dataclass(frozen=True, slots=True)
class Cut:
    """A file was cut to this size."""

    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Named:
    """A name of a file; `former`: the one that it had, in the same folder, and has no more."""

    path: str
    file: int
    former: str | None = None


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A name that is gone."""

    path: str


@dataclass(frozen=True, slots=True)
class Folder:
    """A new folder."""

    path: str


Change = Wrote | Cut | Named | Unnamed | Folder


@dataclass(slots=True)
class Image:
    """Files and folders as they are on the disk."""

    contents: dict[int, bytearray] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)

    def add(self, change: Change) -> None:
        match change:
            case Wrote(file, offset, data):
                content = self.contents.setdefault(file, bytearray())
                content.extend(bytes(max(0, offset - len(content))))
                content[offset : offset + len(data)] = data
            case Cut(file, size):
                del self.contents.setdefault(file, bytearray())[size:]
            case Named(path, file, former):
                self.names.pop(former or "", None)
                self.names[path] = file
            case Unnamed(path):
                self.names.pop(path, None)
            case Folder(path):
                self.folders.add(path)

    def copy(self) -> "Image":
        return Image({file: content[:] for file, content in self.contents.items()}, {**self.names}, {*self.folders})

    def found(self) -> dict[str, bytes | None]:
        """Return all that has a name: folders first. What lies in a folder that is not there is not there either."""
        there = dict[str, bytes | None]()
        for path in sorted(self.folders):
            if not path or _folder(path) in there:
                there[path] = None
        named = {path: bytes(self.contents.get(file, b"")) for path, file in sorted(self.names.items())}
        return there | {path: content for path, content in named.items() if _folder(path) in there}


def make(found: Mapping[str, bytes | None], root: Path) -> None:
    """Make files and folders real."""
    for path, content in found.items():
        if content is None:
            (root / path).mkdir()
        else:
            (root / path).write_bytes(content)


@dataclass(frozen=True, slots=True)
class Barrier:
    """The moment before a sync: what is safe whatever happens, and what may or may not be there."""

    number: int  # of changes and syncs so far: a clock
    what: str
    safe: Image
    pending: tuple[Change, ...]

    def left(self, kept: Iterable[Change]) -> dict[str, bytes | None]:
        """Return what is found when, of the pending changes, these have reached the disk."""
        image = self.safe.copy()
        for change in kept:
            image.add(change)
        return image.found()


class Disk:
    """Remembers what happens under one folder, from Python and from SQLite. `seen` is given each barrier."""

    def __init__(self, root: Path, seen: Callable[[Barrier], None]) -> None:
        self.now = 0
        self._root, self._seen = str(root), seen
        self._safe, self._pending = Image(folders={""}), list[Change]()
        self._files: dict[str, int] = {}  # by path, as it is now
        self._known: dict[int, bytes] = {}  # what Python wrote, as last seen
        self._next = 0

    @contextmanager
    def remembered(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Watch in this block. Nothing waits for the real disk: it is a test of what it was told."""
        with monkeypatch.context() as patch, witnessed(self):
            for name in ("open", "link", "rename", "unlink", "mkdir", "fsync"):
                patch.setattr(os, name, getattr(self, f"_{name}")(getattr(os, name)))
            yield

    # --- What SQLite does -------------------------------------------------------------------------------------------

    def opened(self, path: str) -> None:
        if (name := self._name(path)) is not None and name not in self._files:
            self._created(name)

    def deleted(self, path: str) -> None:
        if (name := self._name(path)) is not None:
            self._gone(name)

    def wrote(self, path: str, offset: int, data: bytes) -> None:
        if (name := self._name(path)) is not None:
            self._changed(Wrote(self._files[name], offset, data))

    def cut(self, path: str, size: int) -> None:
        if (name := self._name(path)) is not None:
            self._changed(Cut(self._files[name], size))

    def synced(self, path: str) -> None:
        """SQLite syncs the folder with the first sync of a log that it made (SQLITE_OPEN_WAL in os_unix.c)."""
        if (name := self._name(path)) is not None:
            self._synced(name)
            if name.endswith("-wal") and name not in self._safe.names:
                self._folder_synced(str(Path(name).parent))

    # --- What Python does -------------------------------------------------------------------------------------------

    def _open(self, usual: Callable[..., int]) -> Callable[..., int]:
        def opened(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:  # noqa: ANN401
            name = self._name(path)
            new = name is not None and flags & os.O_CREAT and not os.path.lexists(path)
            descriptor = usual(path, flags, *args, **kwargs)
            if new and name is not None:
                self._created(name)
            return descriptor

        return opened

    def _link(self, usual: Callable[..., None]) -> Callable[..., None]:
        def linked(source: Any, target: Any) -> None:  # noqa: ANN401
            usual(source, target)
            if (old := self._name(source)) is not None and (new := self._name(target)) is not None:
                self._look(old)
                self._files[new] = self._files[old]
                self._changed(Named(new, self._files[new]))

        return linked

    def _rename(self, usual: Callable[..., None]) -> Callable[..., None]:
        def renamed(source: Any, target: Any) -> None:  # noqa: ANN401
            usual(source, target)
            if (old := self._name(source)) is not None and (new := self._name(target)) is not None:
                self._files[new] = self._files.pop(old)
                self._look(new)
                self._changed(Named(new, self._files[new], former=old))

        return renamed

    def _unlink(self, usual: Callable[..., None]) -> Callable[..., None]:
        def unlinked(path: Any, **kwargs: Any) -> None:  # noqa: ANN401
            usual(path, **kwargs)
            if (name := self._name(path)) is not None:
                self._gone(name)

        return unlinked

    def _mkdir(self, usual: Callable[..., None]) -> Callable[..., None]:
        def made(path: Any, *args: Any) -> None:  # noqa: ANN401
            usual(path, *args)
            if (name := self._name(path)) is not None:
                self._changed(Folder(name))

        return made

    def _fsync(self, _: Callable[[int], None]) -> Callable[[int], None]:
        def synced(descriptor: int) -> None:
            path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
            name = self._name(path)
            if name is None:
                return
            if Path(path).is_dir():
                self._folder_synced(name)
            else:
                self._look(name)
                self._synced(name)

        return synced

    # --- What follows -----------------------------------------------------------------------------------------------

    def _name(self, path: Any) -> str | None:  # noqa: ANN401
        """Return the path below the root, None for what is elsewhere."""
        text = os.fspath(path)
        if text == self._root:
            return ""
        return text.removeprefix(self._root + "/") if text.startswith(self._root + "/") else None

    def _created(self, name: str) -> None:
        self._next += 1
        self._files[name] = self._next
        self._changed(Named(name, self._next))

    def _gone(self, name: str) -> None:
        if self._files.pop(name, None) is not None:
            self._changed(Unnamed(name))

    def _look(self, name: str) -> None:
        """See what Python wrote into a file since it was last looked at."""
        content, file = Path(self._root, name).read_bytes(), self._files[name]
        if content != self._known.get(file, b""):
            self._known[file] = content
            self._changed(Wrote(file, 0, content))

    def _changed(self, change: Change) -> None:
        self.now += 1
        self._pending.append(change)

    def _synced(self, name: str) -> None:
        file = self._files[name]
        self._barrier(name, lambda change: isinstance(change, Wrote | Cut) and change.file == file)

    def _folder_synced(self, name: str) -> None:
        folder = "" if name == "." else name
        self._barrier(
            f"{folder}/", lambda change: not isinstance(change, Wrote | Cut) and _folder(change.path) == folder
        )

    def _barrier(self, what: str, is_safe: Callable[[Change], bool]) -> None:
        self._seen(Barrier(self.now, what, self._safe.copy(), tuple(self._pending)))
        self.now += 1
        left = list[Change]()
        for change in self._pending:
            if is_safe(change):
                self._safe.add(change)
            else:
                left.append(change)
        self._pending = left


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
