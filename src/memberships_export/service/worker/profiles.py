"""Which profile an export goes by: chosen before its first page, and frozen into the export from then on."""

from dataclasses import dataclass, field

from memberships_export.domain.errors import FileDamaged, FileMissing
from memberships_export.domain.export.record import Export
from memberships_export.domain.source.profile_file.toml import fingerprint, known_profile
from memberships_export.domain.source.reader import Reader, reader_of
from memberships_export.ports import FileStore, Readers
from memberships_export.service.file_keys import profile_key


@dataclass(frozen=True, slots=True)
class Profiles:
    """The profiles of this process, and those of exports that began under another one. Each is compiled once."""

    readers: Readers
    files: FileStore
    _former: dict[str, Reader] = field(default_factory=dict)

    def freeze(self, export_id: str) -> str | None:
        """Keep the text of the profile in force beside the parts of an export. Returns what to note on its record."""
        if self.readers.only_own:
            return None
        current = self.readers.current
        self.files.put_once(profile_key(export_id, current.known.fingerprint), current.known.text.encode())
        return current.known.fingerprint

    @property
    def in_force(self) -> Reader:
        """The profile by which exports begin now."""
        return self.readers.own if self.readers.only_own else self.readers.current

    def named(self, profile: str | None, export_id: str) -> Reader:
        """Return the profile that a record names. Raises FileMissing when its text is gone."""
        if profile is None:
            return self.readers.own
        if profile == self.readers.current.known.fingerprint:
            return self.readers.current
        if profile not in self._former:
            self._former[profile] = self._read(profile, export_id)
        return self._former[profile]

    def of(self, export: Export) -> Reader:
        """Return the profile of an export. Raises FileMissing when its text is gone or damaged."""
        return self.named(export.profile, export.export_id)

    def _read(self, profile: str, export_id: str) -> Reader:
        key = profile_key(export_id, profile)
        stored = self.files.read(key)
        if stored is None:
            reason = f"The profile {profile}, by which export {export_id} began, is not among its files any more."
            raise FileMissing(reason)
        text = stored.decode(errors="replace")
        if fingerprint(text) != profile:
            raise FileDamaged(key, "it is not the profile that was stored under this name")
        return reader_of(known_profile(text, f"profile {profile}"))
