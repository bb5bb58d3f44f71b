"""What users see of their exports: status, list, file. Rights are checked at every read."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from memberships_export.domain.audit import SYSTEM, Action, Origin
from memberships_export.domain.errors import (
    ExportError,
    FileDamaged,
    FileGone,
    FileMissing,
    StorageUnavailable,
    UnknownExport,
    UnreadableRecord,
)
from memberships_export.domain.export.record import Export, StoredFile
from memberships_export.domain.export.timeline import downloaded
from memberships_export.domain.formats.formats import file_format
from memberships_export.ports import Clock, Download, ExportStore, FileStore
from memberships_export.service.auditing import Audit
from memberships_export.service.links import DownloadLinks
from memberships_export.service.stored_file import check_file, stream_file

log = logging.getLogger(__name__)
_LINK_SECONDS = 60


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """The file: either a short-lived URL to be redirected to, or its bytes in chunks."""

    file: StoredFile
    content_type: str
    url: str | None
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadExports:
    """Every read names the user who reads; somebody else's export is as unknown as one that never was."""

    store: ExportStore
    files: FileStore
    links: DownloadLinks
    clock: Clock
    audit: Audit

    def get(self, export_id: str, user_id: str) -> Export:
        """Read one export of this user. Raises UnknownExport."""
        try:
            export = self.store.get(export_id)
        except UnreadableRecord as error:
            if error.user_id != user_id:
                raise UnknownExport from error
            raise
        if export is None or export.user_id != user_id:
            raise UnknownExport
        return export

    def list(self, user_id: str, limit: int) -> Sequence[Export]:
        """Read this user's exports, newest first."""
        return self.store.list_for_user(user_id, limit)

    def file(self, export_id: str, user_id: str, origin: Origin = SYSTEM, *, to_read: bool = True) -> FileAnswer:
        """Open the file of this user's export. Raises UnknownExport, FileGone.

        It is checked, which reads it once, and noted, unless nobody is going to read it.
        """
        export = self.get(export_id, user_id)
        answer = self._open(export, to_read=to_read)
        if to_read:
            self._note(export, Action.FILE_DOWNLOADED, origin)
        return answer

    def file_by_link(self, export_id: str, token: str, origin: Origin = SYSTEM, *, to_read: bool = True) -> FileAnswer:
        """Open the file for whoever holds the mailed link. Raises UnknownExport (also for a wrong token), FileGone."""
        export = self.store.get(export_id)
        if export is None or not self.links.opens(export, token):
            raise UnknownExport
        answer = self._open(export, to_read=to_read)
        if to_read:
            self._note(export, Action.LINK_OPENED, origin)
        return answer

    def note_download(self, export_id: str, how: str) -> None:
        """Note on the timeline that a file left, by `token` or by `link`, when it has left: nobody waits for that.

        It is tried once. What really happened with files is in the audit log.
        """
        with suppress(ExportError):
            export = self.store.get(export_id)
            if export and (noted := downloaded(export, self.clock(), how)) != export:
                self.store.replace(export, noted)

    def _note(self, export: Export, action: Action, origin: Origin) -> None:
        """Note that a file is handed out. Whoever may have it gets it, also while that cannot be noted but here."""
        try:
            self.audit.note(origin, action, export_id=export.export_id, user_id=export.user_id)
        except StorageUnavailable as error:
            log.warning(
                "export=%s action=%s ip=%s event=not_noted reason=%s", export.export_id, action, origin.ip, error.reason
            )

    def _open(self, export: Export, *, to_read: bool) -> FileAnswer:
        file = export.file
        if file is None:
            reason = f"Export {export.export_id} has no file: it is {export.status}."
            raise FileGone(reason)
        if file.deleted or self.clock() >= file.expires_at:
            reason = f"The file of export {export.export_id} expired on {file.expires_at:%Y-%m-%d %H:%M} UTC."
            raise FileGone(reason)
        content_type = file_format(export.options.format).content_type
        url = self.files.signed_url(file.key, Download(file.name, content_type), _LINK_SECONDS)
        if url is not None:
            return FileAnswer(file, content_type, url, iter(()))
        return FileAnswer(file, content_type, None, self._chunks(export.export_id, file, checked=to_read))

    def _chunks(self, export_id: str, file: StoredFile, *, checked: bool) -> Iterator[bytes]:
        """Read it once to check it, and once more to pass it on: no byte of a damaged file leaves."""
        try:
            if checked:
                check_file(self.files, file)
            return stream_file(self.files, file)
        except FileDamaged as error:
            log.warning("export=%s key=%s event=damaged reason=%s", export_id, error.key, error.reason)
            reason = f"The file of export {export_id} is damaged. Have it sent again (resend): it is made anew then."
            raise FileGone(reason) from error
        except FileMissing as error:
            reason = f"The file of export {export_id} is not in the file store any more."
            raise FileGone(reason) from error
